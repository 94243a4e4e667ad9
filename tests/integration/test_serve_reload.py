"""`understudy serve` while its files change: an edit is live, a broken one changes nothing, and no request is lost."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from harness.commands import Serve, serving
from harness.gateway_files import provider, route, write
from harness.raw_http import PATIENCE_SECONDS, Answer, eventually
from understudy.mock import Mock


@pytest.fixture
async def providers() -> AsyncIterator[str]:
    """The YAML of two providers, `one` and `two`, that answer."""
    async with Mock(name="one") as one, Mock(name="two") as two:
        yield f"{provider('one', one.url)}---\n{provider('two', two.url)}"


@asynccontextmanager
async def gateway(folder: Path, providers: str, *arguments: str) -> AsyncIterator[tuple[Serve, Path]]:
    """A gateway whose route `chat` leads to `one`, and the file of that route."""
    files = write(folder / "gateway", providers=providers, route=route("one"))
    async with serving(folder, "-f", str(files), *arguments) as serve:
        yield serve, files / "route.yaml"


async def provider_of(serve: Serve) -> str:
    """Who answers `chat`."""
    return (await serve.ask()).headers["x-understudy-provider"].removeprefix("default/")


async def workers_of(serve: Serve) -> list[str | None] | None:
    """What each worker runs; None while nobody is there to tell, or cut off while telling."""
    try:
        workers: list[str | None] = (await serve.config())["workers"]
    except (OSError, ValueError):
        return None
    return workers


async def revision_of(serve: Serve) -> str:
    """What serves now."""
    return str((await serve.config())["revision"])


async def test_an_edit_is_live(tmp_path: Path, providers: str) -> None:
    """The next request after the edit is answered by it; one line says so, and nothing restarts."""
    async with gateway(tmp_path, providers) as (serve, file):
        before = await revision_of(serve)
        file.write_text(route("two"))
        after = await serve.runs_another_than(before)
        assert await provider_of(serve) == "two"
        await serve.says(f"reloaded: revision {after}\n")


async def test_an_edit_that_says_the_same_changes_nothing(tmp_path: Path, providers: str) -> None:
    """A comment is no new revision, and the person who wrote it sees that it was read."""
    async with gateway(tmp_path, providers) as (serve, file):
        before = await revision_of(serve)
        file.write_text(f"# a comment\n{route('one')}")
        await serve.says(f"read again: revision {before} serves on\n")


BROKEN = [
    pytest.param(
        lambda text: text.replace("model: m", "model: [m"),
        "route.yaml:10:1: error: ",
        id="no YAML",
    ),
    pytest.param(
        lambda text: text.replace("model: m", "modell: m"),
        "route.yaml:9:11: error: LLMRoute default/chat: spec.rules[0].backends[0].modell: is not a field of LLMRoute; "
        "did you mean model?\n",
        id="a field that is none",
    ),
    pytest.param(
        lambda text: text.replace("model: m", "model: unheard-of"),
        "route.yaml:9:11: error: LLMRoute default/chat: spec.rules[0].backends[0].model: ",
        id="a model that the provider lacks",
    ),
    pytest.param(
        lambda text: text.replace("{name: one}", "{name: three}"),
        "route.yaml:8:11: error: LLMRoute default/chat: spec.rules[0].backends[0].providerRef: ",
        id="a provider that is none",
    ),
    pytest.param(
        lambda text: text + "---\n" + text,
        "error: LLMRoute default/chat is defined again",
        id="twice the same name",
    ),
    pytest.param(lambda text: text + "\xff", "route.yaml:10:1: error: is not UTF-8 text\n", id="no text"),
]


@pytest.mark.parametrize(("spoil", "said"), BROKEN)
async def test_a_broken_edit_changes_nothing(
    tmp_path: Path, providers: str, spoil: Callable[[str], str], said: str
) -> None:
    """The last good configuration serves, file, line and field are said, and mending the file is a reload."""
    async with gateway(tmp_path, providers) as (serve, file):
        before = await revision_of(serve)
        file.write_bytes(spoil(route("one")).encode("latin-1"))
        await serve.says("not reloaded: until that is mended, the last good configuration serves on\n")
        assert said in serve.printed
        told = await serve.config()
        assert (told["revision"], told["rejected"]["message"].startswith(f"{file}:")) == (before, True)
        assert await provider_of(serve) == "one"
        file.write_text(route("two"))
        after = await serve.runs_another_than(before)
        assert (await serve.config())["rejected"] is None
        await serve.says(f"reloaded: revision {after}\n")


async def test_errors_from_the_start_keep_nothing_from_being_reloaded(tmp_path: Path, providers: str) -> None:
    """Who works on one file need not mend another one first; but what gets worse is not taken."""
    write(tmp_path / "gateway", broken=route("three", name="broken"))
    async with gateway(tmp_path, providers) as (serve, file):
        before = await revision_of(serve)
        file.write_text(route("two"))
        after = await serve.runs_another_than(before)
        await serve.says(f"reloaded: revision {after}, without what is wrong above\n")
        file.write_text(route("four"))
        await serve.says("not reloaded")
        assert await provider_of(serve) == "two"


async def test_a_new_file_in_the_folder_counts(tmp_path: Path, providers: str) -> None:
    """Also one in a new folder inside; taking it away takes away what it says."""
    async with gateway(tmp_path, providers) as (serve, file):
        first = await revision_of(serve)
        write(file.parent / "inner", more=route("two", name="more"))
        second = await serve.runs_another_than(first)
        assert (await serve.ask("more")).status == 200
        (file.parent / "inner" / "more.yaml").unlink()
        assert await serve.runs_another_than(second) == first
        assert (await serve.ask("more")).status == 404


def _over(file: Path, text: str) -> None:
    file.write_text(text)


def _by_rename(file: Path, text: str) -> None:
    """As vim and most editors do."""
    beside = file.with_suffix(".swp")
    beside.write_text(text)
    beside.replace(file)


def _by_backup(file: Path, text: str) -> None:
    """As vim does with `backupcopy=no`: the old file gets another name, and a new one is made."""
    file.rename(file.with_suffix(".yaml~"))
    file.write_text(text)


@pytest.mark.parametrize("save", [_over, _by_rename, _by_backup])
async def test_however_an_editor_saves(tmp_path: Path, providers: str, save: Callable[[Path, str], None]) -> None:
    """A single file is followed by its name, twice in a row."""
    file = write(tmp_path / "gateway", all=f"{providers}---\n{route('one')}") / "all.yaml"
    async with serving(tmp_path, "-f", str(file)) as serve:
        before = await revision_of(serve)
        save(file, f"{providers}---\n{route('two')}")
        assert await serve.runs_another_than(before) != before
        assert await provider_of(serve) == "two"
        save(file, f"{providers}---\n{route('one')}")
        await serve.says(f"reloaded: revision {before}\n")


async def test_follows_links(tmp_path: Path, providers: str) -> None:
    """A mounted ConfigMap is a link to a link that is replaced."""
    for version, name in (("v1", "one"), ("v2", "two")):
        write(tmp_path / version, all=f"{providers}---\n{route(name)}")
    folder = tmp_path / "mounted"
    folder.mkdir()
    (folder / "..data").symlink_to(tmp_path / "v1")
    (folder / "all.yaml").symlink_to("..data/all.yaml")
    async with serving(tmp_path, "-f", str(folder)) as serve:
        before = await revision_of(serve)
        (folder / "..new").symlink_to(tmp_path / "v2")
        os.replace(folder / "..new", folder / "..data")  # noqa: PTH105 - of a link, not of what it leads to
        await serve.runs_another_than(before)
        assert await provider_of(serve) == "two"


async def test_a_file_that_is_gone_changes_nothing(tmp_path: Path, providers: str) -> None:
    """A file that was named cannot be read any more: what it said serves on, and its return is noticed."""
    file = write(tmp_path / "gateway", all=f"{providers}---\n{route('one')}") / "all.yaml"
    async with serving(tmp_path, "-f", str(file)) as serve:
        before = await revision_of(serve)
        file.unlink()
        await serve.says(f"{file}:1:1: error: cannot be read: No such file or directory\n")
        assert await provider_of(serve) == "one"
        file.write_text(f"{providers}---\n{route('two')}")
        await serve.runs_another_than(before)


async def test_does_not_look_at_files_when_told_so(tmp_path: Path, providers: str) -> None:
    """With --no-watch an edit is not read, also not a second later than with it."""
    async with gateway(tmp_path, providers, "--no-watch") as (still, file):
        files = str(file.parent)
        async with serving(tmp_path, "-f", files) as watching:
            before = await revision_of(watching)
            file.write_text(route("two"))
            await watching.runs_another_than(before)
        assert await revision_of(still) == before


async def test_reloads_under_load_drop_nothing(tmp_path: Path, providers: str) -> None:
    """Ten edits while streams and whole answers run all the time: no request fails."""
    async with gateway(tmp_path, providers) as (serve, file):
        answers: list[Answer] = []
        over = asyncio.Event()

        async def load(*, stream: bool) -> None:
            while not over.is_set():
                answers.append(await serve.ask(stream=stream))

        running = [asyncio.create_task(load(stream=number % 2 == 0)) for number in range(4)]
        try:
            revision = await revision_of(serve)
            for name in ("two", "one") * 5:
                file.write_text(route(name))
                revision = await serve.runs_another_than(revision)
                seen = len(answers)
                await eventually(lambda seen=seen: len(answers) > seen + 4)  # type: ignore[misc] # bound at once
        finally:
            over.set()
            async with asyncio.timeout(PATIENCE_SECONDS):
                await asyncio.gather(*running)
        assert {(answer.status, answer.complete) for answer in answers} == {(200, True)}
        assert {answer.headers["x-understudy-provider"] for answer in answers} == {"default/one", "default/two"}


async def test_several_workers_report_once(tmp_path: Path, providers: str) -> None:
    """All workers run the edit, and one of them tells, be it good or broken."""
    async with gateway(tmp_path, providers, "--workers=2") as (serve, file):
        before = await revision_of(serve)
        file.write_text(route("two"))
        after = await serve.runs_another_than(before)
        assert (await serve.config())["workers"] == [after, after]
        file.write_text(route("three"))
        await serve.says("not reloaded")
        file.write_text(route("one"))
        assert await serve.runs_another_than(after) == before
        await serve.says(f"reloaded: revision {before}\n")
        said = serve.printed.partition(f"reloaded: revision {after}\n")[2].splitlines()
        no_such_provider = "spec.rules[0].backends[0].providerRef: LLMProvider default/three does not exist"
        assert [line.removeprefix(f"{file}:") for line in said] == [
            "6:3: error: LLMRoute default/chat: spec.rules: leaves nobody to answer, so requests get 503",
            "8:11: error: LLMRoute default/chat: " + no_such_provider,
            "not reloaded: until that is mended, the last good configuration serves on",
            f"reloaded: revision {before}",
        ]


async def test_a_new_worker_does_not_go_back_in_time(tmp_path: Path, providers: str) -> None:
    """A worker in the place of a dead one serves what the files say now; and somebody still reports."""
    async with gateway(tmp_path, providers, "--workers=2") as (serve, file):
        first = await revision_of(serve)
        edited = file.with_suffix(".edited")
        edited.write_text(route("two"))
        edited.replace(file)  # at once: half a file would be a revision, too
        second = await serve.runs_another_than(first)
        for pid in serve.children()[:2]:
            os.kill(pid, 9)
        await serve.says("is started again", times=2)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while await workers_of(serve) != [second, second]:  # noqa: ASYNC110 - asked over HTTP
                await asyncio.sleep(0.02)
        assert await provider_of(serve) == "two"
        file.write_text(route("one"))
        await serve.says(f"reloaded: revision {first}\n")
