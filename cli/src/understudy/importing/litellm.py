"""LiteLLM's `config.yaml`, by its public documentation: a route for each model_name, a provider for each place to ask.

Left out, and said so: its database, keys and teams, callbacks, caches, guardrails, and whatever else has another home.
"""

from functools import partial
from typing import Any

from understudy.importing.litellm_places import Place, place_of, provider_of
from understudy.importing.litellm_prices import pricing_of
from understudy.importing.objects import Made, Objects, backend, free_name, route_for, route_of
from understudy.importing.parts import Part, Unusable
from understudy.importing.vendors import capability_named, model_name

_STRATEGIES = {
    "simple-shuffle": "Weighted",
    "least-busy": "LeastBusy",
    "latency-based-routing": "LowestLatency",
    "cost-based-routing": "LowestCost",
    "usage-based-routing": "LeastBusy",
    "usage-based-routing-v2": "LeastBusy",
}
_FALLBACKS = ("fallbacks", "context_window_fallbacks", "content_policy_fallbacks")
Own = dict[str, tuple[dict[str, Any], ...]]
"""The backends behind each name before anybody stepped in."""
_ELSEWHERE = {
    "master_key": "callers sign in with a ServiceAccount token, or an API key in a labelled Secret",
    "database_url": "nothing is kept in a database",
}


def read_litellm(file: Part, objects: Objects, problems: list[Unusable]) -> None:
    """The objects of one file."""
    places: dict[Place, Made] = {}
    for index, said in enumerate(file.items("model_list")):
        entry = file.inner(("model_list", index), said if isinstance(said, dict) else {})
        try:
            _deployment(entry, objects, places)
        except Unusable as problem:
            problems.append(problem)
    settings = [file.part(name) for name in ("router_settings", "litellm_settings", "general_settings")]
    own = {
        route.spec["models"][0]["name"]: tuple(route.spec["rules"][0]["backends"]) for route in objects.routes.values()
    }
    for read in (_read_aliases, partial(_read_fallbacks, own, problems), _read_strategy, _read_retries):
        for part in settings:
            try:
                read(part, objects)
            except Unusable as problem:
                problems.append(problem)
    if file.part("environment_variables").value:
        objects.remarks.append("environment_variables are not taken over: keys belong in Secrets.")
    for part in settings:
        for field in part.left():
            why = _ELSEWHERE.get(field.rpartition(".")[2])
            objects.remarks.append(f"{field} is not taken over" + (f": {why}." if why else "."))


def _deployment(entry: Part, objects: Objects, places: dict[Place, Made]) -> None:
    name = entry.required("model_name")
    params, info = entry.part("litellm_params"), entry.part("model_info")
    asked = params.required("model")
    if "*" in name or "*" in asked:
        objects.remarks.append(f"{name} -> {asked} is not taken over: name the models that a provider serves.")
        return
    place, upstream = place_of(params, asked)
    made = places.get(place)
    if made is None:
        made = provider_of(place, free_name(place.name, objects.providers), objects)
        places[place] = made
    model = _model(made, upstream, params, info)
    _limits(made, entry, params)
    order = params.count("order")
    weight = params.number("weight")
    route = route_of(objects, name) or route_for(objects, name, [])
    route.spec["rules"][0]["backends"].append(
        backend(made.name, model, priority=(order or 1) - 1, weight=int(weight) if weight is not None else None)
    )
    for part in (entry, params, info):
        part.ignore("id")
        route.comments += [
            f"{field} of {entry.file} has no equivalent in a route; a Persona has parameters." for field in part.left()
        ]


def _model(made: Made, upstream: str, params: Part, info: Part) -> str:
    """The model's name at its provider, where it is from now on."""
    said = _named_model(made, upstream, base=info.text("base_model").rpartition("/")[2])
    if info.text("mode") == "embedding":
        said["capabilities"] = ["Embeddings"]
    supported = [each for each in info.value if each.startswith("supports_") and info.truth(each, usual=False)]
    found = [capability for each in supported if (capability := capability_named(each))]
    if found and "capabilities" not in said:
        said["capabilities"] = list(dict.fromkeys(["Chat", "Streaming", *found]))
    if window := info.count("max_input_tokens"):
        said["contextWindow"] = window
    if longest := info.count("max_output_tokens", "max_tokens"):
        said["maxOutputTokens"] = longest
    if pricing := pricing_of(params, info):
        said["pricing"] = pricing
    models = made.spec["models"]
    known = next((each for each in models if each["name"] == said["name"]), None)
    if known is None:
        models.append(said)
    else:
        known.update(said)
    name: str = said["name"]
    return name


def _named_model(made: Made, upstream: str, *, base: str) -> dict[str, Any]:
    """By what it is, where the file says so: a deployment of Azure's may have any name."""
    others = (each.get("upstreamName", each["name"]) for each in made.spec["models"] if each["name"] == base)
    if not base or base == upstream or any(each != upstream for each in others):
        return {"name": upstream}
    return {"name": base, "upstreamName": upstream}


def _limits(made: Made, entry: Part, params: Part) -> None:
    """Of a deployment; ours are of a provider, so those of its models add up."""
    for field, name in (
        ("rpm", "requestsPerMinute"),
        ("tpm", "tokensPerMinute"),
        ("max_parallel_requests", "concurrency"),
    ):
        number = params.count(field) or entry.count(field)
        if number:
            limits = made.spec.setdefault("limits", {})
            limits[name] = limits.get(name, 0) + number


def _read_aliases(part: Part, objects: Objects) -> None:
    for alias, said in part.part("model_group_alias").value.items():
        target = said.get("model") if isinstance(said, dict) else said
        route = _route_of(part, "model_group_alias", objects, target)
        route.spec["models"].append({"name": str(alias)})


def _read_fallbacks(own: Own, problems: list[Unusable], part: Part, objects: Objects) -> None:
    for field in _FALLBACKS:
        for pair in part.items(field):
            if not isinstance(pair, dict):
                raise part.wrong(field, "must be a list of maps, from a name to those that step in")
            for name, others in pair.items():
                try:
                    _step_in(_route_of(part, field, objects, name), _named(part, field, others), own, part, field)
                except Unusable as problem:
                    problems.append(problem)
    for route in objects.routes.values() if part.has("default_fallbacks") else ():
        _step_in(route, part.texts("default_fallbacks"), own, part, "default_fallbacks")


def _step_in(route: Made, others: list[str], own: Own, part: Part, field: str) -> None:
    """Ask the backends of others, one after the other, when a route's own have failed."""
    backends = route.spec["rules"][0]["backends"]
    for other in others:
        if model_name(other) not in own:
            raise part.wrong(field, f"names {other}, which is in no model_list")
        known = {(each["providerRef"]["name"], each["model"]) for each in backends}
        behind = max(each.get("priority", 0) for each in backends) + 1
        for each in own[model_name(other)]:
            if (each["providerRef"]["name"], each["model"]) not in known:
                priority = behind + each.get("priority", 0)
                backends.append(backend(each["providerRef"]["name"], each["model"], priority=priority))
    if field == "content_policy_fallbacks":
        route.comments.append(
            "content_policy_fallbacks step in for every failure; for what a filter refused only with ContentFiltered"
            " in retry.retryOn."
        )


def _route_of(part: Part, field: str, objects: Objects, name: Any) -> Made:
    route = route_of(objects, str(name))
    if route is None:
        raise part.wrong(field, f"names {name}, which is in no model_list")
    return route


def _named(part: Part, field: str, said: Any) -> list[str]:
    names = said if isinstance(said, list) else [said]
    if not all(isinstance(each, str) for each in names):
        raise part.wrong(field, "must name models that are in model_list")
    return names


def _read_strategy(part: Part, objects: Objects) -> None:
    said = part.text("routing_strategy")
    if not said:
        return
    if said not in _STRATEGIES:
        objects.remarks.append(f"routing_strategy {said} has no equivalent: routes go by weight.")
        return
    for route in objects.routes.values():
        if _STRATEGIES[said] != "Weighted":
            route.spec["rules"][0]["strategy"] = _STRATEGIES[said]


def _read_retries(part: Part, objects: Objects) -> None:
    retries = part.number("num_retries")
    seconds = part.number("timeout", "request_timeout")
    for route in objects.routes.values():
        if retries is not None:
            route.spec["retry"] = {"attempts": max(1, min(16, int(retries) + 1))}
        if seconds:
            route.spec["timeouts"] = {"request": f"{seconds.normalize():f}s"}
