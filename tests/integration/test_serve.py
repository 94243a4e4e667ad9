"""`understudy serve`, as a person runs it: what it serves, what it says, how it ends."""

from pathlib import Path

import pytest
import yaml

from harness.commands import Command, Serve, running, serving
from harness.gateway_files import provider, route, secret, write
from harness.memory_cluster import MemoryCluster
from harness.raw_http import RawHttp, eventually
from understudy.mock import Mock, Settings
from understudy_api.config import Config
from understudy_api.v1alpha1 import KINDS
from understudy_operator.compile import compile_objects
from understudy_operator.reading import Reader

QUICKSTART = Path(__file__).parents[2] / "examples" / "quickstart"
KEY = "sk-this-is-nobodys-business"


async def test_serves_files_and_says_what_to_ask(tmp_path: Path) -> None:
    """The names, the addresses, and a request that can be pasted; the names are those of /v1/models."""
    async with Mock(name="ada") as mock:
        folder = write(tmp_path / "gateway", provider=provider("main", mock.url), route=route("main"))
        async with serving(tmp_path, "-f", str(folder)) as serve:
            answer = await serve.ask()
            assert "This is ada" in answer.json()["choices"][0]["message"]["content"]
            assert "understudy serves chat, main/m\n" in serve.printed
            assert f"curl http://localhost:{serve.port}/v1/chat/completions" in serve.printed
            assert '"model": "chat"' in serve.printed


async def test_serves_the_rest_of_broken_files(tmp_path: Path) -> None:
    """At the start what can be served is; what cannot is said with file, line and field."""
    async with Mock() as mock:
        broken = route("main", name="other").replace("model: m", "modle: m")
        folder = write(tmp_path / "gateway", provider=provider("main", mock.url), route=route("main"), broken=broken)
        async with serving(tmp_path, "-f", str(folder)) as serve:
            assert (await serve.ask()).status == 200
            assert (await serve.ask("other")).status == 404
            where = f"{folder}/broken.yaml:9:11: error: LLMRoute default/other: spec.rules[0].backends[0]"
            assert f"{where}.modle: is not a field of LLMRoute; did you mean model?\n" in serve.printed
            assert "serving without what is wrong above\n" in serve.printed


async def test_a_key_from_the_environment_reaches_its_provider_and_nothing_else(tmp_path: Path) -> None:
    """`${VAR}` in a Secret becomes the bearer token upstream; it is in no output, no page of the admin port, no log."""
    async with Mock(settings=Settings(require_key=KEY)) as mock:
        folder = write(
            tmp_path / "gateway",
            gateway="---\n".join(
                (secret("vendor", "${VENDOR_KEY}"), provider("main", mock.url, secret="vendor"), route("main"))
            ),
        )
        arguments = ("-f", str(folder), "--log-level=debug")
        async with serving(tmp_path, *arguments, environment={"VENDOR_KEY": KEY}) as serve:
            assert (await serve.ask()).status == 200
            assert mock.requests[-1].headers["authorization"] == f"Bearer {KEY}"
            mock.settings = Settings(require_key="another")
            answers = [await serve.ask(), *[await serve.get(path) for path in ADMIN_PAGES]]
            assert [answer.status for answer in answers] == [502, 200, 200, 200]
            write(folder, gateway=(folder / "gateway.yaml").read_text().replace("model: m", "model: n"))
            await serve.says("not reloaded")
            assert KEY not in "".join(answer.body.decode() for answer in answers)
            assert KEY not in serve.printed


ADMIN_PAGES = ("/config?full=1", "/metrics", "/explain?model=chat")


async def test_a_variable_that_is_not_set_is_said(tmp_path: Path) -> None:
    """A Secret whose variable is missing is named with its line."""
    folder = write(
        tmp_path / "gateway",
        secret=secret("vendor", "${UNDERSTUDY_TEST_UNSET}"),
        provider=provider("main", "http://127.0.0.1:9", secret="vendor"),
    )
    async with serving(tmp_path, "-f", str(folder)) as serve:
        said = f"{folder}/secret.yaml:5:3: warning: the environment variable UNDERSTUDY_TEST_UNSET is not set\n"
        assert said in serve.printed


async def test_is_built_from_the_keys_in_the_environment(tmp_path: Path) -> None:
    """Without files: a provider for each key, and a route that asks them in turn; the keys are shown nowhere."""
    keys = {"OPENAI_API_KEY": f" {KEY}\n", "MISTRAL_API_KEY": f"{KEY}-too"}
    async with serving(tmp_path, "-n", "team", environment=keys) as serve:
        assert "understudy serves chat, mistral/mistral-large-latest, mistral/mistral-small-latest, openai/" in (
            serve.printed
        )
        explained = await serve.get("/explain?model=chat")
        choices = [choice["backend"] for choice in explained.json()["choices"]]
        assert choices == ["team/openai:gpt-4.1-mini", "team/mistral:mistral-small-latest"]
        told = await serve.get("/config?full=1")
        assert told.json()["state"]["providersOut"] == {}
        assert KEY not in serve.printed + told.body.decode() + explained.body.decode()


async def test_a_key_that_cannot_be_one_is_said(tmp_path: Path) -> None:
    """A key that no header can carry takes out its provider, with a sentence that does not quote it."""
    keys = {"OPENAI_API_KEY": "sk-\N{SNOWMAN}", "GROQ_API_KEY": KEY}
    async with serving(tmp_path, environment=keys) as serve:
        assert "<environment>:3:1: error: LLMProvider default/openai: spec.auth.apiKey" in serve.printed
        assert "\N{SNOWMAN}" not in serve.printed
        choices = (await serve.get("/explain?model=chat")).json()["choices"]
        assert [choice["backend"] for choice in choices] == ["default/groq:llama-3.3-70b-versatile"]


@pytest.mark.parametrize(
    ("files", "code", "said"),
    [
        pytest.param(
            None, 2, "Name a file or a folder with -f, or set one of OPENAI_API_KEY, ", id="no files, no keys"
        ),
        pytest.param({}, 1, "holds no file that ends in .json, .yaml, .yml\n", id="an empty folder"),
        pytest.param({"route": route("gone")}, 1, "LLMProvider default/gone does not exist\n", id="nobody to answer"),
        pytest.param({"route": "a: [1\n"}, 1, "route.yaml:2:1: error: ", id="no YAML"),
        pytest.param({"app": "{apiVersion: v1, kind: Pod}"}, 1, "holds no object of Understudy", id="other objects"),
    ],
)
async def test_nothing_to_serve(tmp_path: Path, files: dict[str, str] | None, code: int, said: str) -> None:
    """With nothing to serve it ends at once, and says why."""
    arguments = () if files is None else ("-f", str(write(tmp_path / "gateway", **files)))
    async with running(Serve(tmp_path, *arguments)) as serve:
        assert await serve.ended() == code
    assert said in serve.printed
    assert serve.printed.endswith("Error: nothing to serve: no provider can be used\n") == (code == 1)
    assert "Traceback" not in serve.printed


@pytest.mark.parametrize("option", ["--port", "--admin-port"])
@pytest.mark.parametrize("workers", ["1", "2"])
async def test_a_port_that_is_taken(tmp_path: Path, option: str, workers: str) -> None:
    """Another program on the port is one line, with what to do."""
    async with Mock() as other:
        folder = write(tmp_path / "gateway", provider=provider("main", other.url), route=route("main"))
        arguments = ("-f", str(folder), f"{option}={other.port}", f"--workers={workers}")
        async with running(Serve(tmp_path, *arguments)) as serve:
            assert await serve.ended() == 1
    said = f"understudy: cannot listen on 127.0.0.1, port {other.port}: something else listens there; stop it or "
    assert serve.printed == f"{said}choose another port\n"


@pytest.mark.parametrize("workers", ["1", "2"])
async def test_ends_on_an_interrupt(tmp_path: Path, workers: str) -> None:
    """Ctrl-C ends it in silence, with all of its processes; a running stream may finish."""
    settings = Settings(reply="one two three four", token_interval=0.05)
    async with Mock(settings=settings) as mock:
        folder = write(tmp_path / "gateway", provider=provider("main", mock.url), route=route("main"))
        async with serving(tmp_path, "-f", str(folder), f"--workers={workers}") as serve, RawHttp(serve.port) as client:
            before, group = serve.printed, serve.process.pid
            body = b'{"model": "chat", "messages": [{"role": "user", "content": "Hi"}], "stream": true}'
            client.send("POST", "/v1/chat/completions", body)
            await client.saw(b"one")
            serve.interrupt()
            assert (await client.answer()).body.endswith(b"data: [DONE]\n\n")
            assert await serve.ended() == 0
            assert serve.printed == before
            await eventually(lambda: not serve.lives(group))


async def test_a_laptop_and_a_cluster_agree(tmp_path: Path) -> None:
    """The quickstart gives the very same configuration from files and through the operator's eyes."""
    documents = [one for path in sorted(QUICKSTART.glob("*.yaml")) for one in yaml.safe_load_all(path.read_text())]
    ours = [one for one in documents if one["kind"] in KINDS]
    for one in ours:
        one["metadata"]["namespace"] = "default"
    operators = compile_objects(await Reader(MemoryCluster(*ours), watch_namespaces=()).read()).config
    async with serving(tmp_path, "-f", str(QUICKSTART)) as serve:
        told = await serve.config()
    assert len(ours) == 4
    assert (told["revision"], Config.model_validate(told["config"])) == (operators.revision, operators)


async def test_bad_options_are_explained(tmp_path: Path) -> None:
    """A setting of the environment that cannot be used is a sentence."""
    wrong = Command(
        tmp_path, "serve", "-f", str(QUICKSTART), environment={"UNDERSTUDY_MAX_IN_FLIGHT": "many", "COLUMNS": "200"}
    )
    async with running(wrong) as command:
        assert await command.ended() == 2
    assert command.printed.endswith("Error: UNDERSTUDY_MAX_IN_FLIGHT is 'many'; it takes a whole number\n")
