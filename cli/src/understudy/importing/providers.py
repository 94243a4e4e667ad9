"""Files with `providers`, `models`, `cost_per_1k`; and `capabilities.yaml`, which says more of the same providers."""

from collections.abc import Iterable
from typing import Any

from understudy.importing.addresses import placeholder, set_address
from understudy.importing.objects import (
    Made,
    Objects,
    backend,
    key_of,
    per_million,
    route_for,
    route_of,
    signed_in,
    variable_of,
)
from understudy.importing.parts import Part, Unusable
from understudy.importing.vendors import (
    COMPATIBLE,
    SELF_HOSTED,
    capability_named,
    default_models,
    object_name,
    vendor_named,
)

_LOCAL = {
    "Ollama": "http://localhost:11434",
    "VLLM": "http://localhost:8000/v1",
    "LlamaCpp": "http://localhost:8080/v1",
}


class Providers:
    """The providers of all files, put together by name."""

    def __init__(self, objects: Objects, problems: list[Unusable]) -> None:
        """Make them in `objects`, and tell what cannot be used in `problems`."""
        self._objects = objects
        self._problems = problems
        self._shared: dict[str, dict[str, Any]] = {}
        """What files say of all models of a provider."""

    def read(self, file: Part) -> None:
        """The providers and models of one file."""
        for field in ("providers", "capabilities"):
            for name, entry in file.named(field):
                try:
                    self._provider(name, entry)
                except Unusable as problem:
                    self._problems.append(problem)
        fallbacks: list[tuple[Made, list[str]]] = []
        for name, entry in file.named("models"):
            try:
                fallbacks.append(self._logical(name, entry))
            except Unusable as problem:
                self._problems.append(problem)
        for route, others in fallbacks:
            self._step_in(route, others)
        for name in ("default_model", "default_provider"):
            if wanted := file.text(name):
                self._default(file, name, wanted)

    def assumed(self, name: str) -> Made | None:
        """The provider of that name, made of its name alone where it is a vendor's; None where nobody knows it."""
        at = object_name(name)
        if at in self._objects.providers:
            return self._objects.providers[at]
        vendor = vendor_named(name)
        if vendor is None or vendor.type in {*SELF_HOSTED, "VertexAI", "Bedrock", "AzureOpenAI"}:
            return None
        made = Made("LLMProvider", at, {"type": vendor.type})
        made.comments.append(f"No file describes {name}: this is what its name says.")
        made.spec |= signed_in(self._objects, at, key_of("", at="", type_=vendor.type))
        self._objects.providers[at] = made
        return made

    def complete(self) -> None:
        """Models for those whose files name none, and for each model what is said of all of its provider."""
        for made in self._objects.providers.values():
            if not made.spec.get("models"):
                usual = default_models(made.spec["type"])
                made.spec["models"] = [{"name": model} for model in usual]
                said = "these are usual ones" if usual else "name those that it serves"
                made.comments.append(f"No file names its models: {said}.")
            shared = self._shared.get(made.name, {})
            made.spec["models"] = [{"name": each["name"], **shared, **each} for each in made.spec["models"]]

    def routes(self) -> None:
        """A route for each model that is not one yet: apps have asked for it by that name."""
        by_model: dict[str, list[str]] = {}
        for made in self._objects.providers.values():
            for model in made.spec.get("models", ()):
                by_model.setdefault(model["name"], []).append(made.name)
        taken = {each["name"] for made in self._objects.routes.values() for each in made.spec.get("models", ())}
        for model, providers in by_model.items():
            if model not in taken:
                route_for(
                    self._objects, model, [backend(each, model, priority=at) for at, each in enumerate(providers)]
                )

    def _provider(self, name: str, entry: Part) -> None:
        at = object_name(name)
        kind = entry.text("type", "kind", "provider", "vendor") or name
        vendor = vendor_named(kind)
        url = entry.text("base_url", "api_base", "baseURL", "endpoint", "url", "base_uri")
        if vendor is None and not url:
            raise entry.wrong("", f"{kind} is no vendor that is known by name: say its type, or its base_url")
        made = self._objects.providers.setdefault(at, Made("LLMProvider", at, {"type": vendor.type if vendor else ""}))
        if not entry.truth("enabled", usual=True):
            made.comments.append("It is not enabled in the file: leave it out, or keep it for later.")
        made.spec["type"] = made.spec["type"] or COMPATIBLE
        self._address(made, url or (vendor.base_url if vendor else ""))
        self._sign_in(made, entry)
        self._limits(made, entry)
        if tier := entry.text("cost_tier"):
            made.labels["tier"] = object_name(tier)
        self._shared.setdefault(at, {}).update(_described(entry))
        for model, said in entry.named("models"):
            _add_model(made, model, _described(said), said)
        if not entry.has("models") and (model := entry.text("model", "default_model")):
            _add_model(made, model, {}, None)
        made.comments += _unread(entry)

    def _logical(self, name: str, entry: Part) -> tuple[Made, list[str]]:
        """A model that says its provider: a route of that name, and the models that step in."""
        wanted = entry.required("provider", "provider_name")
        made = self.assumed(wanted)
        if made is None:
            raise entry.wrong("provider", f"names {wanted}, which no file describes")
        upstream = entry.text("physical_name", "model", "upstream_name", "model_id") or name
        _add_model(made, name, {**_described(entry), **({"upstreamName": upstream} if upstream != name else {})}, None)
        route = route_for(self._objects, name, [backend(made.name, name)])
        others = entry.texts("fallbacks", "fallback", "fallback_models")
        route.comments += _unread(entry)
        return route, others

    def _step_in(self, route: Made, others: list[str]) -> None:
        for at, other in enumerate(others, start=1):
            provider = next((made.name for made in self._objects.providers.values() if _serves(made, other)), None)
            if provider:
                route.spec["rules"][0]["backends"].append(backend(provider, other, priority=at))
            else:
                route.comments.append(f"Its fallback {other} is a model that no file describes.")

    def _default(self, file: Part, field: str, wanted: str) -> None:
        route = route_of(self._objects, wanted)
        if route and field == "default_model":
            route.spec["models"].append({"name": "default"})
            return
        provider = self._objects.providers.get(object_name(wanted))
        if provider and provider.spec.get("models"):
            route_for(self._objects, "default", [backend(provider.name, provider.spec["models"][0]["name"])])
            return
        served = next((made for made in self._objects.providers.values() if _serves(made, wanted)), None)
        if served:
            route_for(self._objects, "default", [backend(served.name, wanted)])
            return
        self._problems.append(file.wrong(field, f"names {wanted}, which no file describes"))

    def _address(self, made: Made, url: str) -> None:
        if variable := variable_of(url):
            made.comments.append(f"Its address is in {variable}: write it here.")
            url = placeholder(variable)
        url = url or ("" if "baseURL" in made.spec else _LOCAL.get(made.spec["type"], ""))
        if not url and made.spec["type"] in {"AzureOpenAI", COMPATIBLE} and "baseURL" not in made.spec:
            made.comments.append("The file does not say its address: write it here.")
            url = placeholder(f"{made.name} address")
        if url:
            set_address(made, url)

    def _sign_in(self, made: Made, entry: Part) -> None:
        region = entry.text("region", "aws_region", "location")
        project = entry.text("project", "project_id")
        if made.spec["type"] == "VertexAI":
            if not project:
                made.comments.append("The file does not say its project: write it here.")
            made.spec["auth"] = {"gcp": {"project": project or "my-project", "location": region or "global"}}
            return
        if made.spec["type"] == "Bedrock" and "baseURL" not in made.spec:
            if not region:
                made.comments.append("The file does not say its region: write it here.")
            made.spec["auth"] = {"aws": {"region": region or "us-east-1"}}
            return
        variable = entry.text("api_key_env", "api_key_env_var", "env_key")
        said = f"${{{variable}}}" if variable else entry.text("api_key", "key", "token")
        if entry.has("api_key", "api_key_env", "api_key_env_var", "env_key", "key", "token") or "auth" not in made.spec:
            key = key_of(said, at=f"{entry.file}, field api_key of {made.name}", type_=made.spec["type"])
            made.spec |= signed_in(self._objects, made.name, key)

    @staticmethod
    def _limits(made: Made, entry: Part) -> None:
        limits = {
            "requestsPerMinute": entry.count("requests_per_minute", "rpm", "rate_limit"),
            "tokensPerMinute": entry.count("tokens_per_minute", "tpm"),
            "concurrency": entry.count("max_concurrency", "concurrency", "max_parallel_requests"),
        }
        if found := {name: value for name, value in limits.items() if value}:
            made.spec["limits"] = found
        if (seconds := entry.number("timeout", "timeout_seconds")) is not None and seconds:
            made.spec["timeouts"] = {"request": f"{seconds.normalize():f}s"}


def _described(entry: Part) -> dict[str, Any]:
    """What an entry says of a model, in our words."""
    said: dict[str, Any] = {}
    flags = [name for name in entry.flags() if capability_named(name)]
    if flags or entry.has("capabilities", "features"):
        named = entry.texts("capabilities", "features") + [name for name in flags if entry.truth(name, usual=False)]
        known = [each for each in dict.fromkeys(map(capability_named, named)) if each]
        said["capabilities"] = known if known == ["Embeddings"] or "Chat" in known else ["Chat", *known]
    if window := entry.count("max_context", "context_window", "max_context_tokens", "context_length"):
        said["contextWindow"] = window
    if longest := entry.count("max_tokens", "max_output_tokens"):
        said["maxOutputTokens"] = longest
    if pricing := _pricing(entry):
        said["pricing"] = pricing
    return said


def _pricing(entry: Part) -> dict[str, str]:
    value = entry.any("cost_per_1k", "cost_per_1k_tokens", "price_per_1k")
    if isinstance(value, dict):
        inner = entry.inner(("cost_per_1k",), value)
        input_, output = inner.number("input", "prompt", "in"), inner.number("output", "completion", "out")
    else:
        input_ = output = entry.number("cost_per_1k", "cost_per_1k_tokens", "price_per_1k")
        input_ = input_ if input_ is not None else entry.number("cost_per_1k_input", "input_cost_per_1k")
        output = output if output is not None else entry.number("cost_per_1k_output", "output_cost_per_1k")
    given = [each for each in (input_, output) if each is not None]
    if not given:
        return {}
    # One price for both is what files say that know only one.
    return {"inputPerMillion": per_million(given[0], 1000), "outputPerMillion": per_million(given[-1], 1000)}


def _add_model(made: Made, name: str, said: dict[str, Any], entry: Part | None) -> None:
    models = made.spec.setdefault("models", [])
    if (
        entry is not None
        and (upstream := entry.text("physical_name", "upstream_name", "model_id"))
        and upstream != name
    ):
        said = {"upstreamName": upstream, **said}
    known = next((each for each in models if each["name"] == name), None)
    if known is None:
        models.append({"name": name, **said})
    else:
        known.update(said)
    if entry is not None:
        made.comments += _unread(entry)


def _serves(made: Made, model: str) -> bool:
    return any(each["name"] == model for each in made.spec.get("models", ()))


def _unread(entry: Part) -> Iterable[str]:
    return (f"{field} of {entry.file} has no equivalent." for field in entry.left())
