"""LLMTool: a function that a model may call."""

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from understudy_api.v1alpha1.meta import (
    AllowedNamespaces,
    ApiModel,
    Duration,
    HeaderName,
    HeaderValue,
    Resource,
    SecretKeySelector,
    ServiceReference,
    cel,
)


class HttpMethod(StrEnum):
    """How the handler is called."""

    GET = "GET"
    POST = "POST"
    PUT = "PUT"
    PATCH = "PATCH"
    DELETE = "DELETE"


class BearerAuth(ApiModel):
    """A bearer token from a Secret in the tool's namespace."""

    secret_key_ref: SecretKeySelector


class ToolAuth(ApiModel):
    """How the gateway signs in at the handler."""

    bearer: BearerAuth


class HttpHandler(ApiModel):
    """An HTTP endpoint that gets the arguments as JSON and answers with the result."""

    model_config = ConfigDict(
        json_schema_extra=cel(
            ("has(self.url) != has(self.serviceRef)", "a handler takes exactly one of url, serviceRef")
        )
    )

    url: Annotated[str, Field(max_length=2048, pattern=r"^https?://[^\s@]+$")] | None = None
    service_ref: ServiceReference | None = None
    path: Annotated[str, Field(max_length=1024, pattern=r"^/\S*$")] | None = None
    method: HttpMethod = HttpMethod.POST
    headers: Annotated[dict[HeaderName, HeaderValue], Field(max_length=32)] = {}
    timeout: Duration = "30s"
    auth: ToolAuth | None = None


class ToolHandler(ApiModel):
    """Who runs the function."""

    http: HttpHandler


class LLMToolSpec(ApiModel):
    """A function that a model may call."""

    function_name: Annotated[
        str | None,
        Field(
            max_length=64,
            pattern=r"^[a-zA-Z0-9_-]+$",
            description="Default: the object's name with - as _.",
        ),
    ] = None
    description: Annotated[str, Field(min_length=1, max_length=8192)]
    parameters: Annotated[
        dict[str, Any],
        Field(
            max_length=64,
            description="JSON Schema of the arguments object.",
            json_schema_extra={"x-kubernetes-preserve-unknown-fields": True},
        ),
    ] = {}
    handler: ToolHandler | None = None
    allowed_namespaces: AllowedNamespaces | None = None


class LLMTool(Resource):
    """A function that a model may call."""

    kind: Literal["LLMTool"] = "LLMTool"
    spec: LLMToolSpec
