"""Files and folders as the objects that `kubectl apply -f` would send."""

import io
import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from understudy.manifests import FileProblem, Loaded, Position, load
from understudy.manifests.files import MAX_FILE_BYTES
from understudy.manifests.inputs import inputs_of

ROUTE = "apiVersion: understudy.dev/v1alpha1\nkind: LLMRoute\nmetadata: {name: chat}\n"


def _load(*paths: Path, environment: Mapping[str, str] | None = None, namespace: str = "default") -> Loaded:
    return load(map(str, paths), environment=environment or {}, namespace=namespace)


def _write(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def _named(name: str, **metadata: str) -> str:
    more = "".join(f", {key}: {value}" for key, value in metadata.items())
    return f"apiVersion: understudy.dev/v1alpha1\nkind: LLMRoute\nmetadata: {{name: {name}{more}}}\n"


def _names(loaded: Loaded) -> list[str]:
    return [manifest.name for manifest in loaded.manifests]


def _messages(loaded: Loaded, folder: Path) -> list[str]:
    return [f"{problem.position}: {problem.message}".replace(f"{folder}/", "") for problem in loaded.problems]


def test_walks_folders_in_the_order_of_names(tmp_path: Path) -> None:
    """The first file is the same on every machine; hidden files, and files of other kinds, are none of ours."""
    files = {
        "b.yaml": _named("b"),
        "a.yml": _named("a1") + "---\n" + _named("a2"),
        "sub/c.json": '{"apiVersion": "understudy.dev/v1alpha1", "kind": "Persona", "metadata": {"name": "c"}}',
        "Z.YAML": _named("z"),
        ".hidden.yaml": _named("hidden"),
        "..data/a.yaml": _named("mounted"),
        "README.md": "not: yaml: at: all",
    }
    loaded = _load(_write(tmp_path, files))
    assert _names(loaded) == ["z", "a1", "a2", "b", "c"]
    assert [name.removeprefix(f"{tmp_path}/") for name in loaded.files] == ["Z.YAML", "a.yml", "b.yaml", "sub/c.json"]
    assert loaded.problems == ()


def test_reads_a_file_once(tmp_path: Path) -> None:
    """A file that is named twice, or linked, is no conflict with itself."""
    _write(tmp_path, {"a.yaml": ROUTE})
    (tmp_path / "link.yaml").symlink_to("a.yaml")
    loaded = _load(tmp_path / "a.yaml", tmp_path)
    assert _names(loaded) == ["chat"]
    assert loaded.problems == ()


def test_reads_standard_input() -> None:
    """`helm template . | understudy lint -f -` works."""
    loaded = load(["-"], environment={}, stdin=io.BytesIO(ROUTE.encode()))
    assert _names(loaded) == ["chat"]
    assert loaded.manifests[0].position_of("metadata.name") == Position("<stdin>", 3, 12)


def test_reads_lists(tmp_path: Path) -> None:
    """What `kubectl get -o yaml` prints is a List; its items are objects with places of their own."""
    item = "- apiVersion: understudy.dev/v1alpha1\n  kind: LLMRoute\n  metadata: {name: %s}\n"
    text = "apiVersion: v1\nkind: List\nitems:\n" + item % "one" + item % "two"
    loaded = _load(_write(tmp_path, {"list.yaml": text}))
    assert _names(loaded) == ["one", "two"]
    assert loaded.manifests[1].position_of("metadata.name").line == 9


def test_what_comes_first_is_older(tmp_path: Path) -> None:
    """Of two objects that claim one name, the older one wins; in files, that is the first one."""
    files = {
        "a.yaml": _named("z") + "---\n" + _named("y"),
        "b.yaml": _named("x", creationTimestamp="2026-01-01T00:00:00Z"),
    }
    loaded = _load(_write(tmp_path, files))
    times = [manifest.raw["metadata"]["creationTimestamp"] for manifest in loaded.manifests]
    assert times == sorted(times)
    assert times[2] == "2026-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("text", "namespace"),
    [
        pytest.param(_named("x"), "team", id="none of its own"),
        pytest.param(_named("x", namespace="ai"), "ai", id="its own"),
        pytest.param(_named("x", namespace="null"), "team", id="null"),
    ],
)
def test_puts_objects_into_a_namespace(tmp_path: Path, text: str, namespace: str) -> None:
    """An object without a namespace is in the one that is asked for, as with `kubectl -n`."""
    loaded = _load(_write(tmp_path, {"a.yaml": text}), namespace="team")
    assert loaded.manifests[0].namespace == namespace


SECRET = "apiVersion: v1\nkind: Secret\nmetadata: {name: keys}\nstringData:\n  key: %s\n"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param("${OPENAI_API_KEY}", "sk-1", id="a variable"),
        pytest.param('"Bearer ${OPENAI_API_KEY}!"', "Bearer sk-1!", id="a variable in a text"),
        pytest.param("${EMPTY}", "", id="a variable that is empty"),
        pytest.param("$${OPENAI_API_KEY}", "${OPENAI_API_KEY}", id="an escaped one"),
        pytest.param("$OPENAI_API_KEY", "$OPENAI_API_KEY", id="without braces"),
        pytest.param("pa$$word${", "pa$$word${", id="dollars"),
        pytest.param("${NESTED}", "${OPENAI_API_KEY}", id="what is filled in is not looked at again"),
    ],
)
def test_fills_in_variables_of_secrets(tmp_path: Path, text: str, value: str) -> None:
    """`${NAME}` in the stringData of a Secret is the environment's."""
    environment = {"OPENAI_API_KEY": "sk-1", "EMPTY": "", "NESTED": "${OPENAI_API_KEY}"}
    loaded = _load(_write(tmp_path, {"a.yaml": SECRET % text}), environment=environment)
    assert loaded.manifests[0].raw["stringData"] == {"key": value}
    assert loaded.unset_variables == ()


def test_names_a_variable_that_is_not_set(tmp_path: Path) -> None:
    """A Secret without its variable is told with file, line and variable, and keeps what is written."""
    folder = _write(tmp_path, {"a.yaml": SECRET % "${OPENAI_API_KEY}"})
    loaded = _load(folder)
    message = "the environment variable OPENAI_API_KEY is not set"
    assert loaded.unset_variables == (FileProblem(Position(f"{folder}/a.yaml", 5, 3), message),)
    assert loaded.manifests[0].raw["stringData"] == {"key": "${OPENAI_API_KEY}"}


@pytest.mark.parametrize(
    ("text", "part"),
    [
        pytest.param(ROUTE + "spec: {models: [{name: '${HOME}'}]}", "spec", id="of ours"),
        pytest.param(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {a: '${HOME}'}", "data", id="ConfigMap"
        ),
        pytest.param("apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ndata: {a: '${HOME}'}", "data", id="data"),
    ],
)
def test_fills_in_nothing_else(tmp_path: Path, text: str, part: str) -> None:
    """A prompt may speak of `${HOME}`; only secrets need what git must not hold."""
    loaded = _load(_write(tmp_path, {"a.yaml": text}), environment={"HOME": "/root"})
    assert "${HOME}" in repr(loaded.manifests[0].raw[part])
    assert loaded.unset_variables == ()


def test_does_not_show_secrets(tmp_path: Path) -> None:
    """What was loaded may reach a log or a traceback."""
    loaded = _load(_write(tmp_path, {"a.yaml": SECRET % "hunter2"}))
    assert "hunter2" not in repr(loaded)


@pytest.mark.parametrize(
    ("files", "messages"),
    [
        pytest.param({"a.yaml": "a: [1"}, ["a.yaml:2:1: is not YAML: did not find expected ',' or ']'"], id="not YAML"),
        pytest.param(
            {"a.yaml": "hello\n---\n- 1\n---\n{kind: LLMRoute}\n"},
            [f"a.yaml:{line}:1: is no Kubernetes object: it has no apiVersion and kind" for line in (1, 3, 5)],
            id="no objects",
        ),
        pytest.param({"a.yaml": b"a: \xff"}, ["a.yaml:1:1: is not UTF-8 text"], id="not UTF-8"),
        pytest.param({"a.yaml": b"a: 1\n# \xff"}, ["a.yaml:2:1: is not UTF-8 text"], id="not UTF-8 further down"),
        pytest.param(
            {"a.yaml": ROUTE, "b.yaml": ROUTE},
            ["b.yaml:1:1: LLMRoute default/chat is defined again, after a.yaml:1:1; remove one of them"],
            id="an object twice",
        ),
        pytest.param(
            {"a.yaml": ROUTE + "spec: {rules: []}\nspec: {}"},
            ['a.yaml:5:1: gives the key "spec" again, after line 4'],
            id="a key twice",
        ),
        pytest.param(
            {"a.yaml": b"#" * (MAX_FILE_BYTES + 1)},
            [f"a.yaml:1:1: is larger than {MAX_FILE_BYTES} bytes"],
            id="too large",
        ),
    ],
)
def test_says_what_cannot_be_used(tmp_path: Path, files: dict[str, str | bytes], messages: list[str]) -> None:
    """A file that cannot be used is a sentence with its place, and never takes the others down."""
    folder = _write(tmp_path, {**files, "z.yaml": _named("last")})
    loaded = _load(folder)
    assert [message.replace(f"{folder}/", "") for message in _messages(loaded, folder)] == messages
    assert _names(loaded)[-1] == "last"


def test_says_what_is_not_there(tmp_path: Path) -> None:
    """A path without a file, without files, or that is neither, is told."""
    (tmp_path / "empty").mkdir()
    os.mkfifo(tmp_path / "pipe.yaml")
    loaded = _load(tmp_path / "nothing.yaml", tmp_path / "empty", tmp_path / "pipe.yaml")
    assert _messages(loaded, tmp_path) == [
        "nothing.yaml:1:1: cannot be read: No such file or directory",
        "empty:1:1: holds no file that ends in .json, .yaml, .yml",
        "pipe.yaml:1:1: is neither a file nor a folder",
    ]


def test_keeps_the_documents_before_a_broken_one(tmp_path: Path) -> None:
    """What could be read is read."""
    loaded = _load(_write(tmp_path, {"a.yaml": ROUTE + "---\na: [\n"}))
    assert _names(loaded) == ["chat"]
    assert len(loaded.problems) == 1


def test_notes_what_it_does_not_look_at(tmp_path: Path) -> None:
    """A folder may hold the app too."""
    text = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: app}\n"
    loaded = _load(_write(tmp_path, {"a.yaml": text}))
    message = 'the kind "Deployment" of "apps/v1" is not looked at'
    assert loaded.ignored == (FileProblem(Position(f"{tmp_path}/a.yaml", 1, 1), message),)
    assert loaded.manifests == ()


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("apiVersion: understudy.dev/v2\nkind: LLMRoute\nmetadata: {name: x}", id="another version"),
        pytest.param("apiVersion: understudy.io/v1alpha1\nkind: LLMRoute\nmetadata: {name: x}", id="another group"),
        pytest.param("apiVersion: understudy.dev/v1alpha1\nkind: LLMRout\nmetadata: {name: x}", id="another kind"),
        pytest.param("apiVersion: understudy.dev/v1alpha1\nkind: [1]\nmetadata: 1", id="nonsense"),
    ],
)
def test_keeps_what_was_meant_to_be_ours(tmp_path: Path, text: str) -> None:
    """A misspelled kind or version is an error to report, not another's object to pass over."""
    loaded = _load(_write(tmp_path, {"a.yaml": text}))
    assert [manifest.is_ours for manifest in loaded.manifests] == [True]


def test_reads_json_as_json(tmp_path: Path) -> None:
    """Escapes and tabs that YAML 1.1 does not know are JSON all the same."""
    text = '{\n\t"apiVersion":\t"v1", "kind": "ConfigMap", "metadata": {"name": "a"},\n\t"data": %s}'
    data = r'{"a": "\/ \ud83d\ude00 \\/ \\ud83d \" \t \u00e9"}'
    loaded = _load(_write(tmp_path, {"a.json": text % data}))
    assert loaded.problems == ()
    assert loaded.manifests[0].raw["data"] == {"a": '/ 😀 \\/ \\ud83d " \t é'}


def test_gives_compile_what_a_cluster_would(tmp_path: Path) -> None:
    """Files take the place of a cluster: objects, Secrets, ConfigMaps, and the labels of namespaces."""
    core = "apiVersion: v1\nkind: {kind}\nmetadata: {{name: {name}, namespace: ai}}\n"
    files = {
        "a.yaml": _named("chat", namespace="ai"),
        "b.yaml": core.format(kind="Secret", name="keys"),
        "c.yaml": core.format(kind="ConfigMap", name="prompts"),
        "d.yaml": "apiVersion: v1\nkind: Namespace\nmetadata: {name: ai, labels: {team: search}}\n",
        "e.yaml": _named("other", namespace="apps"),
    }
    inputs = inputs_of(_load(_write(tmp_path, files)).manifests)
    assert [raw["metadata"]["name"] for raw in inputs.objects] == ["chat", "other"]
    assert list(inputs.secrets) == [("ai", "keys")]
    assert list(inputs.config_maps) == [("ai", "prompts")]
    assert inputs.namespaces == {
        "ai": {"kubernetes.io/metadata.name": "ai", "team": "search"},
        "apps": {"kubernetes.io/metadata.name": "apps"},
    }
