"""How long a provider is waited for, and when an endpoint of it is left out."""

from understudy_api.config import HealthPolicy, Probe, Timeouts
from understudy_api.v1alpha1.provider import ProviderHealth, ProviderTimeouts
from understudy_operator.compile.durations import positive_seconds
from understudy_operator.compile.report import Report
from understudy_operator.compile.vendors import Vendor
from understudy_operator.compile.verdict import Reason

_TIMEOUTS = Timeouts()
_HEALTH = HealthPolicy()
_PROBE_SECONDS = 5.0


def compile_timeouts(report: Report, spec: ProviderTimeouts | None, vendor: Vendor) -> Timeouts:
    """The timeouts, with defaults for what is not said or cannot be."""
    given = spec or ProviderTimeouts()
    at = "spec.timeouts"
    first_token = vendor.first_token_seconds or _TIMEOUTS.first_token_seconds
    return Timeouts(
        connect_seconds=positive_seconds(
            report, f"{at}.connect", duration=given.connect, default=_TIMEOUTS.connect_seconds
        ),
        first_token_seconds=positive_seconds(
            report, f"{at}.firstToken", duration=given.first_token, default=first_token
        ),
        stream_idle_seconds=positive_seconds(
            report, f"{at}.streamIdle", duration=given.stream_idle, default=_TIMEOUTS.stream_idle_seconds
        ),
        request_seconds=positive_seconds(
            report, f"{at}.request", duration=given.request, default=_TIMEOUTS.request_seconds
        ),
    )


def compile_health(report: Report, spec: ProviderHealth | None, vendor: Vendor) -> HealthPolicy:
    """When an endpoint is ejected, and for how long. Servers that can be asked for free how they are, are asked."""
    given = spec or ProviderHealth()
    at = "spec.health"
    ejection = positive_seconds(
        report, f"{at}.ejectionDuration", duration=given.ejection_duration, default=_HEALTH.ejection_seconds
    )
    longest = positive_seconds(
        report,
        f"{at}.maxEjectionDuration",
        duration=given.max_ejection_duration,
        default=max(_HEALTH.max_ejection_seconds, ejection),
    )
    if longest < ejection:
        message = "is shorter than ejectionDuration, which is used instead"
        report.error(Reason.INVALID, f"{at}.maxEjectionDuration", message)
    return HealthPolicy(
        consecutive_failures=given.consecutive_failures or _HEALTH.consecutive_failures,
        ejection_seconds=ejection,
        max_ejection_seconds=max(longest, ejection),
        probe=_probe(report, given, vendor),
    )


def _probe(report: Report, given: ProviderHealth, vendor: Vendor) -> Probe | None:
    if given.probe is None:
        return Probe(path=vendor.probe, interval_seconds=_PROBE_SECONDS) if vendor.probe else None
    field = "spec.health.probe.interval"
    return Probe(
        path=given.probe.path,
        interval_seconds=positive_seconds(report, field, duration=given.probe.interval, default=_PROBE_SECONDS),
    )
