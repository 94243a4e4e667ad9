"""`make bench`: nginx, a bare aiohttp pass-through and Understudy, turn by turn, as ratios.

Understudy is there twice: with providers that speak the client's dialect (`understudy`), and with ones of Anthropic's
dialect, so that every request and answer is translated (`translated`).

Each round measures every subject once, so that a machine whose speed drifts slows them all; ratios are taken round by
round and their median is reported.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from subjects import HERE, LOAD_CORE, Subject, subject, upstream

SUBJECTS = ("nginx", "passthrough", "understudy", "translated")
Row = dict[str, float]


def requests_load(target: Subject, *, connections: int, seconds: float) -> Row:
    """Whole answers through wrk."""
    before = target.cpu_seconds()
    output = _pinned(
        "wrk", "--threads", "1", "--connections", str(connections), "--duration", f"{seconds:g}s",
        "--timeout", "10s", "--script", str(HERE / "post.lua"), f"http://127.0.0.1:{target.port}/v1/chat/completions",
    )  # fmt: skip
    cpu = target.cpu_seconds() - before
    result = json.loads(next(line for line in output.splitlines() if line.startswith("RESULT "))[7:])
    _refuse(target, result["bad_status"] + result["socket_errors"])
    return {
        "requests_per_second": result["requests"] / (result["microseconds"] / 1e6),
        "cpu_us_per_request": cpu / result["requests"] * 1e6,
        "p50_ms": result["p50"] / 1000,
        "p99_ms": result["p99"] / 1000,
        "max_ms": result["max"] / 1000,
    }


def streams_load(target: Subject, *, connections: int, seconds: float) -> Row:
    """Streams of 200 events each."""
    before = target.cpu_seconds()
    result = json.loads(
        _pinned(sys.executable, str(HERE / "streams.py"), str(target.port), str(connections), f"{seconds}")
    )
    cpu = target.cpu_seconds() - before
    _refuse(target, result["failures"])
    return {
        "streams_per_second": result["streams"] / seconds,
        "cpu_us_per_event": cpu / result["events"] * 1e6,
        "first_event_p50_ms": result["first_event_ms_p50"],
    }


def measure(name: str, *, upstream_port: int, folder: Path, seconds: float) -> dict[str, Row]:
    """One subject, once, through every load."""
    with subject(name, upstream_port=upstream_port, folder=folder) as target:
        requests_load(target, connections=16, seconds=1)
        rows = {
            "c=16": requests_load(target, connections=16, seconds=seconds),
            "c=256": requests_load(target, connections=256, seconds=seconds),
            "streams": streams_load(target, connections=16, seconds=seconds),
        }
        rows["process"] = {"rss_mb": target.rss_mb(), "cold_start_seconds": target.cold_start_seconds}
    return rows


def summary(rounds: list[dict[str, dict[str, Row]]]) -> dict[str, Any]:
    """Medians of every figure, and Understudy against the pass-through round by round."""
    medians = {
        name: {
            load: {figure: statistics.median(one[name][load][figure] for one in rounds) for figure in rows}
            for load, rows in rounds[0][name].items()
        }
        for name in SUBJECTS
    }
    return {
        "understudy_to_passthrough": _ratios(rounds, "understudy", "passthrough"),
        "translated_to_passthrough": _ratios(rounds, "translated", "passthrough"),
        "translated_to_understudy": _ratios(rounds, "translated", "understudy"),
        "medians": medians,
    }


def table(result: dict[str, Any]) -> Iterable[str]:
    """The result for a person."""
    headings = f"{'':14}{'c=16 req/s':>12}{'us CPU':>9}{'p50 ms':>8}{'p99 ms':>8}"
    yield headings + f"{'c=256 req/s':>13}{'p99 ms':>8}{'us/event':>10}{'RSS MB':>8}{'start s':>9}"
    for name, rows in result["medians"].items():
        one, many, streams, process = rows["c=16"], rows["c=256"], rows["streams"], rows["process"]
        yield (
            f"{name:14}{one['requests_per_second']:12.0f}{one['cpu_us_per_request']:9.0f}{one['p50_ms']:8.2f}"
            f"{one['p99_ms']:8.2f}{many['requests_per_second']:13.0f}{many['p99_ms']:8.1f}"
            f"{streams['cpu_us_per_event']:10.1f}{process['rss_mb']:8.0f}{process['cold_start_seconds']:9.2f}"
        )
    yield ""
    for pair in ("understudy_to_passthrough", "translated_to_passthrough", "translated_to_understudy"):
        for what, ratio in result[pair].items():
            shown = f"{ratio['median']:.2f} ({ratio['min']:.2f} to {ratio['max']:.2f})"
            yield f"{pair.replace('_to_', ' / ')}, {what}: {shown}"


def _ratios(rounds: list[dict[str, dict[str, Row]]], one: str, other: str) -> dict[str, Row]:
    figures = {
        "requests_per_second_c16": ("c=16", "requests_per_second"),
        "requests_per_second_c256": ("c=256", "requests_per_second"),
        "cpu_per_request_c16": ("c=16", "cpu_us_per_request"),
        "cpu_per_event": ("streams", "cpu_us_per_event"),
    }
    return {what: _ratio([(each[one], each[other]) for each in rounds], *place) for what, place in figures.items()}


def _ratio(pairs: list[tuple[dict[str, Row], dict[str, Row]]], load: str, figure: str) -> Row:
    values = [one[load][figure] / other[load][figure] for one, other in pairs]
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def _refuse(target: Subject, failures: int) -> None:
    if failures:
        raise RuntimeError(f"{target.name} failed {failures} requests: its figures would mean nothing")


def _pinned(*command: str) -> str:
    done = subprocess.run(["taskset", "-c", str(LOAD_CORE), *command], capture_output=True, text=True, check=True)
    return done.stdout


def main() -> None:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--output", type=Path, default=HERE / "results" / "local" / "latest.json")
    options = parser.parse_args()
    rounds = []
    with tempfile.TemporaryDirectory(prefix="understudy-bench-") as folder, upstream() as port:
        for number in range(options.rounds):
            print(f"round {number + 1} of {options.rounds}", file=sys.stderr)
            rounds.append(
                {
                    name: measure(
                        name, upstream_port=port, folder=Path(folder) / f"{number}-{name}", seconds=options.seconds
                    )
                    for name in SUBJECTS
                }
            )
    result = summary(rounds)
    print("\n".join(table(result)))
    result["machine"] = {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "system": platform.platform(),
        "aiohttp": version("aiohttp"),
        "uvloop": version("uvloop"),
    }
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
