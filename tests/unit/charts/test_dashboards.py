"""The dashboards that the chart ships."""

import json
import re
from pathlib import Path

from understudy_proxy.telemetry.book import Kind
from understudy_proxy.telemetry.families import ALL

DASHBOARDS = Path(__file__).parents[3] / "charts" / "understudy" / "dashboards"
METRIC = re.compile(r"\b((?:understudy|gen_ai|process)_[a-z_]+)(?=[{\[)\s,]|$)")
OF_KIND = {Kind.COUNTER: ("_total",), Kind.GAUGE: ("",), Kind.HISTOGRAM: ("_bucket", "_sum", "_count")}


def shown_metrics() -> set[str]:
    """Names of time series that the proxy exports."""
    return {family.name + suffix for family in ALL for suffix in OF_KIND[family.kind]}


def test_every_panel_asks_for_metrics_that_exist() -> None:
    """No panel stays empty because a metric was renamed."""
    for path in DASHBOARDS.glob("*.json"):
        dashboard = json.loads(path.read_text())
        queries = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
        queries += [each["query"] for each in dashboard["templating"]["list"] if each["type"] == "query"]
        asked = {name for query in queries for name in METRIC.findall(query)}
        assert len(asked) > 10
        assert set() == asked - shown_metrics()
