"""LLMTool: a function that a model may call."""

from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from understudy_api.v1alpha1 import patterns
from understudy_api.v1alpha1.meta import (
    ATOMIC_MAP,
    AllowedNamespaces,
    Duration,
    HeaderName,
    HeaderValue,
    Resource,
    SecretKeySelector,
    ServiceReference,
)
from understudy_api.v1alpha1.model import ApiModel, Invariant


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
    """The token."""


class ToolAuth(ApiModel):
    """How the gateway signs in at the handler."""

    bearer: BearerAuth
    """A bearer token."""


class HttpHandler(ApiModel):
    """An HTTP endpoint that gets the arguments as JSON and answers with the result."""

    invariants: ClassVar = (
        Invariant(
            cel="has(self.url) != has(self.serviceRef)",
            message="a handler takes exactly one of url, serviceRef",
            holds=lambda part: (part.url is None) != (part.service_ref is None),
        ),
        Invariant(
            cel="!has(self.path) || has(self.serviceRef)",
            message="path goes with serviceRef: a url carries its own path",
            holds=lambda part: part.path is None or part.service_ref is not None,
        ),
    )

    url: Annotated[str, Field(max_length=2048, pattern=patterns.HANDLER_URL)] | None = None
    """Where the handler is; either this or serviceRef."""
    service_ref: ServiceReference | None = None
    """The Service that is the handler; either this or url."""
    path: Annotated[str, Field(max_length=1024, pattern=patterns.URL_PATH)] | None = None
    """The path at the Service. Default: /."""
    method: HttpMethod = HttpMethod.POST
    """With GET and DELETE the arguments are in the query, otherwise in the body."""
    headers: Annotated[dict[HeaderName, HeaderValue], Field(max_length=32)] = {}
    """Headers added to every call."""
    timeout: Duration = "30s"
    """How long a call may take, to the last byte of the answer."""
    auth: ToolAuth | None = None


class ToolHandler(ApiModel):
    """Who runs the function."""

    http: HttpHandler


class LLMToolSpec(ApiModel):
    """A function that a model may call."""

    function_name: Annotated[str | None, Field(min_length=1, max_length=64, pattern=patterns.FUNCTION_NAME)] = None
    """The name by which the model calls it. Default: the name of the object with - as _."""
    description: Annotated[str, Field(min_length=1, max_length=8192)]
    """What the function does; the model chooses by it."""
    parameters: Annotated[dict[str, Any], Field(max_length=64, json_schema_extra=ATOMIC_MAP)] = {}
    """JSON Schema of the arguments object."""
    handler: ToolHandler | None = None
    """Who runs the function; without one it can only be declared."""
    allowed_namespaces: AllowedNamespaces | None = None


class LLMTool(Resource):
    """A function that a model may call."""

    kind: Literal["LLMTool"] = "LLMTool"
    spec: LLMToolSpec
