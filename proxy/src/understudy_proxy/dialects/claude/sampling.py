"""How tokens are drawn, as far as a Claude model lets anybody say.

https://platform.claude.com/docs/en/build-with-claude/extended-thinking#feature-compatibility
"""

from understudy_proxy.dialects.canonical.chat import Sampling
from understudy_proxy.dialects.claude.models import Claude
from understudy_proxy.dialects.claude.thinking import Warn

HIGHEST_TEMPERATURE = 1
_NAMES = ("temperature", "top_p", "top_k")


def drawn(wanted: Sampling, model: Claude, *, thinks: bool, warn: Warn) -> dict[str, float]:
    """What to send of `temperature`, `top_p` and `top_k`, by these names."""
    given = {name: value for name in _NAMES if (value := getattr(wanted, name)) is not None}
    if given and not model.sampling:
        warn(f"{_listed(given)} left out: this model takes no sampling parameters.")
        return {}
    if thinks and given:
        warn(f"{_listed(given)} left out: they cannot be combined with reasoning.")
        return {}
    if not model.temperature_with_top_p and "temperature" in given and given.pop("top_p", None) is not None:
        warn("'top_p' was left out: this model takes it or 'temperature', not both.")
    lower_temperature(given, warn)
    return given


def lower_temperature(given: dict[str, float], warn: Warn) -> None:
    """Bring a temperature of OpenAI's scale into one that ends where that has its middle."""
    if given.get("temperature", 0) > HIGHEST_TEMPERATURE:
        warn(f"'temperature' was lowered to {HIGHEST_TEMPERATURE}, the highest here.")
        given["temperature"] = HIGHEST_TEMPERATURE


def _listed(given: dict[str, float]) -> str:
    names = " and ".join(f"'{name}'" for name in given)
    return f"{names} {'was' if len(given) == 1 else 'were'}"
