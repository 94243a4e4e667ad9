"""`understudy explain`, as a person types it: from files, and from a gateway that has seen failures."""

import json
from pathlib import Path

from harness.commands import Command, running, serving
from harness.gateway_files import provider, route, write
from understudy.mock import Mock

TWO_BACKENDS = """\
apiVersion: understudy.dev/v1alpha1
kind: LLMRoute
metadata: {name: chat}
spec:
  rules:
    - backends:
        - {providerRef: {name: lead}, model: m}
        - {providerRef: {name: second}, model: m, priority: 1}
"""


def files(folder: Path, lead: str, second: str) -> str:
    """A route with an understudy, and a lead that is ejected at its first failure for longer than a test takes."""
    health = "  health: {consecutiveFailures: 1, ejectionDuration: 10m, maxEjectionDuration: 10m}\n"
    made = write(
        folder / "gateway",
        lead=provider("lead", lead) + health,
        second=provider("second", second),
        route=TWO_BACKENDS,
    )
    return str(made)


async def explained(folder: Path, *arguments: str) -> tuple[int | None, str]:
    """The exit code of the command, and what it prints."""
    async with running(Command(folder, "explain", *arguments)) as command:
        return await command.ended(), command.printed


async def test_from_files(tmp_path: Path) -> None:
    """As if a gateway had just started with them: everybody is well."""
    path = files(tmp_path, "http://127.0.0.1:9", "http://127.0.0.1:9")
    code, printed = await explained(tmp_path, "chat", "-f", path)
    assert (code, printed.splitlines()[1:]) == (
        0,
        [
            "  rule rule-0 applies: it has no matches, so it always applies",
            "  1. default/lead:m (priority 0): the only one of its priority",
            "  2. default/second:m (priority 1): an understudy: steps in when all of a higher priority fail",
        ],
    )


async def test_from_a_gateway_that_has_seen_a_failure(tmp_path: Path) -> None:
    """A running gateway knows who is ejected and for how long; the files cannot."""
    async with Mock(faults=["500"]) as lead, Mock() as second:
        path = files(tmp_path, lead.url, second.url)
        async with serving(tmp_path, "-f", path) as serve:
            assert (await serve.ask()).headers["x-understudy-provider"] == "default/second"
            code, printed = await explained(tmp_path, "chat", "--url", f"http://127.0.0.1:{serve.admin_port}")
            as_json = await explained(tmp_path, "chat", "--url", f"http://127.0.0.1:{serve.admin_port}", "-o", "json")
    lines = printed.splitlines()
    assert code == 0
    assert "  1. default/second:m (priority 1): " in printed
    assert lines[-1].startswith("  -  default/lead:m is passed over: ")
    assert "(ejected, for " in lines[-1]
    told = json.loads(as_json[1])
    assert [skip["backend"] for skip in told["skipped"]] == ["default/lead:m"]
    assert 500 < told["skipped"][0]["for_seconds"] <= 600


async def test_nobody_answers(tmp_path: Path) -> None:
    """An unknown name and an unmet need end with 1; what is wrong with the files is said before."""
    path = files(tmp_path, "http://127.0.0.1:9", "http://127.0.0.1:9")
    write(Path(path), broken=route("gone", name="broken"))
    code, printed = await explained(tmp_path, "chap", "-f", path)
    assert (code, printed.splitlines()[-1]) == (1, "chap: no such model; did you mean chat?")
    assert (
        f"{path}/broken.yaml:8:11: error: LLMRoute default/broken: spec.rules[0].backends[0].providerRef: " in printed
    )
    code, printed = await explained(tmp_path, "broken", "-f", path)
    assert (code, printed.splitlines()[-1]) == (1, "  nobody would answer")


async def test_nobody_listens(tmp_path: Path) -> None:
    """Without a gateway it says what it tried and what else there is."""
    code, printed = await explained(tmp_path, "chat", "--url", "http://127.0.0.1:1")
    assert code == 1
    assert printed.startswith("Error: no explanation from http://127.0.0.1:1: cannot connect (")
    assert printed.endswith("understudy explain chat -f PATH\n")
