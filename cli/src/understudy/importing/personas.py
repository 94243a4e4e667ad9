"""`persona_policy.yaml`: roles, who plays them first, and what they need."""

import re
from typing import Any

from understudy.importing.objects import Made, Objects
from understudy.importing.parts import Part, Unusable
from understudy.importing.providers import Providers
from understudy.importing.vendors import capability_named, object_name

_TIERS = {"low": "Low", "cheap": "Low", "medium": "Medium", "mid": "Medium", "high": "High", "premium": "High"}
_PLACEHOLDER = re.compile(r"\{\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*\}\}")
_PARAMETERS = ("temperature", "max_tokens", "top_p", "presence_penalty", "frequency_penalty", "stop", "seed")


def read_personas(file: Part, objects: Objects, providers: Providers, problems: list[Unusable]) -> None:
    """The personas of one file. Their providers and tools must have been read."""
    for name, entry in file.named("personas"):
        try:
            _persona(name, entry, objects, providers)
        except Unusable as problem:
            problems.append(problem)


def _persona(name: str, entry: Part, objects: Objects, providers: Providers) -> None:
    made = Made("Persona", object_name(name), {})
    if made.name in objects.personas:
        raise entry.wrong("", f"is a second {made.name}: - and _ are the same in a persona's name")
    spec = made.spec
    if description := entry.text("description"):
        spec["description"] = description
    if aliases := _aliases(entry.texts("aliases", "alias"), made):
        spec["aliases"] = aliases
    _system(entry, made)
    if requires := _requires(entry, made):
        spec["requires"] = requires
    spec["preferences"] = _preferences(entry, made, providers)
    if constraints := _constraints(entry):
        spec["constraints"] = constraints
    if parameters := _parameters(entry):
        spec["parameters"] = parameters
    if tools := _tools(entry, made, objects):
        spec["tools"] = tools
    made.comments += [f"{field} of {entry.file} has no equivalent." for field in entry.left()]
    objects.personas[made.name] = made


def _aliases(given: list[str], made: Made) -> list[str]:
    """Those that differ: - and _ are the same in a persona's name."""
    names = (re.sub(r"[^a-z0-9_-]+", "-", each.lower()).strip("-_") for each in given)
    return list(dict.fromkeys(name for name in names if name and name.replace("_", "-") != made.name))


def _system(entry: Part, made: Made) -> None:
    text = entry.text("system_prompt", "system", "prompt", "instructions")
    if not text:
        return
    made.spec["system"] = {"text": text}
    if variables := list(dict.fromkeys(_PLACEHOLDER.findall(text))):
        made.spec["system"]["variables"] = [{"name": name, "default": ""} for name in variables]
        made.comments.append("Its prompt has placeholders: give them defaults.")


def _requires(entry: Part, made: Made) -> list[str]:
    found: dict[str, None] = {}
    for each in entry.texts("requires", "required_capabilities", "capabilities"):
        if capability := capability_named(each):
            found[capability] = None
        else:
            made.comments.append(f"It requires {each}, which is no capability.")
    return list(found)


def _preferences(entry: Part, made: Made, providers: Providers) -> list[dict[str, Any]]:
    field = "provider_preferences"
    wanted = entry.any(field, "providers", "preferred_providers", "preferences", "provider")
    listed = wanted if isinstance(wanted, list) else [wanted] if wanted else []
    found: list[dict[str, Any]] = []
    for index, each in enumerate(listed):
        said = each if isinstance(each, dict) else {"provider": each}
        inner = entry.inner((field, index), said)
        name = inner.required("provider", "name")
        provider = providers.assumed(name)
        if provider is None:
            made.comments.append(f"It prefers {name}, which no file describes and no vendor is called.")
            continue
        model = inner.text("model")
        if model and all(one["name"] != model for one in provider.spec.setdefault("models", [])):
            provider.spec["models"].append({"name": model})
        found.append({"providerRef": {"name": provider.name}, **({"model": model} if model else {})})
    if not found:
        raise entry.wrong(field, "names nobody that a file describes: give the file with its providers, too")
    return found


def _constraints(entry: Part) -> dict[str, Any]:
    inner = entry.part("constraints")
    window = inner.count("min_context_window", "min_context", "max_context") or entry.count(
        "min_context", "min_context_window"
    )
    tier = inner.text("max_cost_tier", "cost_tier") or entry.text("max_cost_tier", "cost_tier")
    made: dict[str, Any] = {"minContextWindow": window} if window else {}
    if tier:
        if tier.lower() not in _TIERS:
            raise entry.wrong("max_cost_tier", f"must be one of low, medium, high, and is {tier}")
        made["maxCostTier"] = _TIERS[tier.lower()]
    return made


def _parameters(entry: Part) -> dict[str, Any]:
    defaults = {name: entry.any(name) for name in _PARAMETERS if entry.has(name)}
    for field in ("parameters", "default_parameters", "params"):
        defaults |= {name: value for name, value in entry.part(field).value.items() if value is not None}
    made = {"defaults": defaults} if defaults else {}
    if overrides := entry.part("overrides").value:
        made["overrides"] = overrides
    return made


def _tools(entry: Part, made: Made, objects: Objects) -> dict[str, Any]:
    if isinstance(entry.value.get("tools"), bool):
        if entry.truth("tools", usual=False) and "Tools" not in made.spec.setdefault("requires", []):
            made.spec["requires"].append("Tools")
        return {}
    refs = []
    for name in entry.texts("tools"):
        if object_name(name) in objects.tools:
            refs.append({"name": object_name(name)})
        else:
            made.comments.append(f"Its tool {name} is in no file: add an LLMTool, and a reference in tools.refs.")
    return {"refs": refs} if refs else {}
