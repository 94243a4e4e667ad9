"""Where LiteLLM asks for a model: its `provider/` prefix, address, key and cloud, as one of our providers."""

from dataclasses import dataclass
from typing import Any

from understudy.importing.addresses import placeholder, set_address
from understudy.importing.objects import (
    NO_KEY,
    Key,
    Made,
    Objects,
    SecretNeeded,
    key_of,
    signed_in,
    variable_of,
)
from understudy.importing.parts import Part
from understudy.importing.vendors import COMPATIBLE, SELF_HOSTED, vendor_named

_OPENAI_HOST = "api.openai.com"
_LOCAL = {
    "Ollama": "http://localhost:11434",
    "LlamaCpp": "http://localhost:8080/v1",
    "VLLM": "http://localhost:8000/v1",
}
_BARE = frozenset({"Anthropic", "Gemini", "Ollama", "Bedrock"})
"""Types whose address is the bare host, as their own SDKs take it."""


@dataclass(frozen=True, slots=True)
class Place:
    """All that tells two providers apart. Two deployments at one place are two models of one provider."""

    name: str
    type: str
    address: str = ""
    key: Key = NO_KEY
    region: str = ""
    project: str = ""
    access_keys: tuple[str, str] | None = None
    """The variables that hold AWS' two keys, "" where they are written out; None without such keys."""


def place_of(params: Part, asked: str) -> tuple[Place, str]:
    """Where a deployment is, and the model's name there.

    Raises:
        Unusable: the prefix is nobody's.
    """
    prefix, slash, rest = asked.partition("/")
    if not slash:
        prefix, rest = _unsaid(asked), asked
    vendor = vendor_named(prefix)
    url = params.text("api_base", "base_url")
    provider = params.text("custom_llm_provider")
    if provider and vendor_named(provider):
        vendor, prefix, rest = vendor_named(provider), provider, rest if prefix == provider else asked
    if vendor is None and not url:
        raise params.wrong(
            "model", f"{prefix} is no vendor that is known; with an api_base it can be one of OpenAI's kind"
        )
    type_ = vendor.type if vendor else COMPATIBLE
    if type_ == "OpenAI" and url and not variable_of(url) and _OPENAI_HOST not in url:
        type_ = COMPATIBLE
    if type_ == "Bedrock":
        rest = rest.removeprefix("converse/").removeprefix("invoke/")
    key = key_of(params.text("api_key"), at=f"{params.file}, api_key of {asked}", type_=type_)
    params.ignore("api_version", "organization", "aws_session_token")
    place = Place(
        name=prefix.replace("_chat", "") if type_ == "Ollama" else prefix,
        type=type_,
        address=_address(url or (vendor.base_url if vendor else ""), type_),
        key=key if type_ not in {"Bedrock", "VertexAI"} else NO_KEY,
        region=params.text("aws_region_name", "vertex_location"),
        project=params.text("vertex_project"),
        access_keys=_access_keys(params) if params.has("aws_access_key_id") else None,
    )
    return place, rest


def _access_keys(params: Part) -> tuple[str, str]:
    return variable_of(params.text("aws_access_key_id")), variable_of(params.text("aws_secret_access_key"))


def _unsaid(model: str) -> str:
    """Whose model it is that has no prefix, told by its name."""
    if model.startswith("claude"):
        return "anthropic"
    return "vertex_ai" if model.startswith("gemini") else "openai"


def provider_of(place: Place, name: str, objects: Objects) -> Made:
    """The provider for a place, and the Secrets that it needs."""
    made = Made("LLMProvider", name, {"type": place.type})
    if variable := variable_of(place.address):
        made.comments.append(f"Its address is in {variable}: write it here.")
        made.spec["baseURL"] = placeholder(variable)
    elif place.address:
        set_address(made, place.address)
    elif place.type in SELF_HOSTED or place.type == "AzureOpenAI":
        made.comments.append("The file does not say its address: write it here.")
        made.spec["baseURL"] = _LOCAL.get(place.type) or placeholder(f"{name} address")
    if cloud := _cloud(place, name, objects, made):
        made.spec["auth"] = cloud
    else:
        made.spec |= signed_in(objects, name, place.key)
    made.spec["models"] = []
    objects.providers[name] = made
    return made


def _address(url: str, type_: str) -> str:
    if variable_of(url):
        return url
    return url.rstrip("/").removesuffix("/v1") if type_ in _BARE else url.rstrip("/")


def _cloud(place: Place, name: str, objects: Objects, made: Made) -> dict[str, Any]:
    if place.type == "Bedrock":
        region = "" if variable_of(place.region) else place.region
        if not region:
            made.comments.append("The file does not say its region: write it here.")
        auth: dict[str, Any] = {"region": region or "us-east-1"}
        if place.access_keys:
            keys = dict(zip(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), place.access_keys, strict=True))
            found = "" if all(place.access_keys) else "litellm_params"
            objects.secrets[name] = SecretNeeded(name, keys, found=found)
            auth["secretRef"] = {"name": name}
        return {"aws": auth}
    if place.type == "VertexAI":
        project = "" if variable_of(place.project) else place.project
        location = "" if variable_of(place.region) else place.region
        if not project:
            made.comments.append("The file does not say its project: write it here.")
        return {"gcp": {"project": project or "my-project", "location": location or "global"}}
    return {}
