"""What a person reads on the terminal of a gateway."""

from pathlib import Path

import pytest

from harness.gateway_files import provider, route, write
from understudy.local import Became, Local, from_files
from understudy.serving import announce, names_of, report, tell_first
from understudy_proxy.settings import Settings

PERSONA = """\
apiVersion: understudy.dev/v1alpha1
kind: Persona
metadata: {name: helper}
spec: {aliases: [friend], preferences: [{providerRef: {name: main}, model: m}]}
"""


def local(folder: Path, **files: str) -> Local:
    """What a folder with these files amounts to, beside one provider."""
    write(folder, main=provider("main", "http://127.0.0.1:9"), **files)
    return from_files((str(folder),), environment={}, namespace="default")


def settings(**given: str) -> Settings:
    """Those of `understudy serve`."""
    return Settings(**{"host": "127.0.0.1", "admin_host": "127.0.0.1", "default_namespace": "default", **given})  # type: ignore[arg-type]


def test_names_are_those_that_callers_may_send(tmp_path: Path) -> None:
    """Routes, then personas, then models at providers; a name of another namespace only where it is open to ours."""
    files = {"z": route("main", name="zebra"), "a": route("main", name="ant"), "p": PERSONA}
    hidden = provider("theirs", "http://127.0.0.1:9").replace("{name: theirs}", "{name: theirs, namespace: other}")
    found = local(tmp_path, hidden=hidden, **files)
    assert names_of(found.snapshot, namespace="default") == ("ant", "zebra", "persona/helper", "main/m")
    assert "theirs/m" in names_of(found.snapshot, namespace="other")


@pytest.mark.parametrize(
    ("given", "address", "admin"),
    [
        pytest.param({}, "http://localhost:8080/v1", "http://localhost:9090", id="loopback"),
        pytest.param({"host": "::", "port": 1}, "http://localhost:1/v1", "http://localhost:9090", id="everywhere"),
        pytest.param({"host": "10.1.2.3"}, "http://10.1.2.3:8080/v1", "http://localhost:9090", id="an address"),
        pytest.param({"host": "fd00::7"}, "http://[fd00::7]:8080/v1", "http://localhost:9090", id="IPv6"),
    ],
)
def test_addresses_can_be_pasted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], given: dict[str, str], address: str, admin: str
) -> None:
    """Whatever it listens on, what is printed leads there."""
    announce(local(tmp_path, route=route("main")), settings(**given))
    printed = capsys.readouterr().out
    assert f"OpenAI base URL   {address}\n" in printed
    assert f"curl {address}/chat/completions" in printed
    assert f"metrics, explain  {admin}\n" in printed


def test_a_long_list_of_names_is_cut(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Twelve names, and how many more."""
    files = {f"r{number:02}": route("main", name=f"r{number:02}") for number in range(20)}
    announce(local(tmp_path, **files), settings())
    assert "understudy serves r00, r01, " in (printed := capsys.readouterr().out)
    assert ", r11 and 9 more\n" in printed


def test_what_can_be_pasted_is_answered(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A route that is there for vectors alone is no answer to a chat."""
    vectors = provider("vectors", "http://127.0.0.1:9").replace("{name: m}", "{name: m, capabilities: [Embeddings]}")
    announce(local(tmp_path, vectors=vectors, a=route("vectors", name="a"), b=route("main", name="b")), settings())
    printed = capsys.readouterr().out
    assert "understudy serves a, b, " in printed
    assert '"model": "b"' in printed


def test_nothing_to_name_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A provider of another namespace alone gives callers nothing to ask for, and no request to paste."""
    elsewhere = from_files(
        (str(write(tmp_path, main=provider("main", "http://127.0.0.1:9"))),), environment={}, namespace="other"
    )
    announce(elsewhere, settings())
    printed = capsys.readouterr().out
    assert "understudy serves no model that a caller in namespace default could name\n" in printed
    assert "curl" not in printed


@pytest.mark.parametrize(
    ("became", "out", "errors"),
    [
        pytest.param(Became.SERVED, "reloaded: revision {}\n", "", id="served"),
        pytest.param(Became.UNCHANGED, "read again: revision {} serves on\n", "", id="unchanged"),
        pytest.param(
            Became.LEARNED, "servers were asked for their models: revision {} serves\n", "", id="told by servers"
        ),
        pytest.param(
            Became.KEPT_OUT,
            "",
            "not reloaded: until that is mended, the last good configuration serves on\n",
            id="kept out",
        ),
        pytest.param(
            Became.REFUSED,
            "",
            "not reloaded: revision {} cannot be served; /config on the admin port says why\n",
            id="refused",
        ),
    ],
)
def test_says_what_became_of_a_reading(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], became: Became, out: str, errors: str
) -> None:
    """Good news goes to standard output, bad news to standard error."""
    found = local(tmp_path, route=route("main"))
    report(found, became)
    revision = found.config.revision
    assert capsys.readouterr() == (out.format(revision), errors.format(revision))


def test_what_is_wrong_is_said_with_its_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """File, line, object and field, at the start and at every reading; a terminal obeys nothing in it."""
    found = local(tmp_path, route=route("main").replace("model: m", '"\\e[2Jm": m'))
    tell_first(found)
    report(found, Became.SERVED)
    out, errors = capsys.readouterr()
    assert errors.count(f"{tmp_path}/route.yaml:9:11: error: LLMRoute default/chat: spec.rules[0].backends[0]") == 2
    assert "\nserving without what is wrong above\n" in errors
    assert out == f"reloaded: revision {found.config.revision}, without what is wrong above\n"
    assert "\x1b" not in errors


def test_a_terminal_obeys_no_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A model may have any name without spaces."""
    announce(local(tmp_path, route=route("main") + '  models: [{name: "\\e[2J"}]\n'), settings())
    assert "understudy serves \ufffd[2J, main/m\n" in (printed := capsys.readouterr().out)
    assert "\x1b" not in printed
