"""`docs/compatibility.md`: the outcomes as tables for people, and back."""

import re
from collections.abc import Iterator, Mapping

from compatibility.matrix import MOCK, Cell, cells
from compatibility.objects import Situation
from compatibility.providers import FLAVORS, PROVIDERS, Provider
from compatibility.roster import CLIENTS, FLAVOR_CLIENT, Client
from compatibility.scenarios import CALLS, SCENARIOS
from harness.pages import REPOSITORY

PAGE = REPOSITORY / "docs" / "compatibility.md"

_INTRODUCTION = """\
# Compatibility

Point a vendor's SDK at the gateway and change nothing but its base URL: these tables say what then works, whichever
provider answers. They are written by a run of the real SDKs against a real gateway process, with `understudy mock`,
which answers and refuses as the vendors do, in the providers' places: no vendor was asked. `make compatibility` writes
them anew, and `make test` fails when an outcome differs from what stands here.

| column | a cell says yes if |
|---|---|
| plain | the answer has its text, finish reason and usage |
| stream | a stream says the same, in pieces, with the same finish reason and usage |
| tools | a tool is called with its arguments, the result sent back, and the answer knows it; streaming and not, alike |
| parallel tools | two tools are called in one turn, and both results reach the model |
| image | a PNG arrives as one |
| JSON schema | the SDK's own structured output comes back parsed |
| thinking | thoughts arrive in the SDK's own place before a tool call, and go back with the tool's result, signed as \
the provider wants it |
| handover | such a conversation, begun with this provider, goes on with one of another vendor |
| cached tokens | the tokens that a cache had are told in the SDK's own place |
| error before | where the first provider answers 503 the next one answers, unnoticed; where all do, the SDK \
raises its own exception for 503, and sends nothing again; what the provider rejects with 400 raises the SDK's \
exception for that, and nobody else is asked; where all limit their rate the SDK's exception knows for how long |
| error after | where a provider fails within a stream, the SDK raises after the text that came; a whole answer \
comes from the next provider |
| cut | the same where a stream just ends without saying that it is complete |
| resumed | on a route with `onInterruption: Resume` that stream goes on with the next provider, and the SDK sees one \
whole answer |
| executed | a persona's tools are run by the gateway, in two rounds: the SDK sees one answer without a call, what was \
said before the tools and after them, with the usage of all of it; where the client has a tool of its own, it gets \
that call, and the model goes on with all that was before |

`no` is what does not work today, with what was seen instead. A number leads to a note, and n/a stands where the SDK
or the provider has nothing of the kind.
"""


# Ids, addresses, and the names of the run's own routes.
_OF_ONE_RUN = re.compile(
    rf"\b(?:req_|call_|chatcmpl-|msg_)\w+|127\.0\.0\.1:\d+|\b[a-z]+-(?:{'|'.join(Situation)})(?:-\w+)?\b"
)


def page(complaints: Mapping[Cell, str]) -> str:
    """The page that tells these outcomes."""
    parts = [_INTRODUCTION]
    for client in CLIENTS:
        setup = client.setup.replace("GATEWAY", "http://understudy.understudy")
        parts += [f"## {client.title}\n", f"`{setup}`\n", *_table(client, PROVIDERS, complaints)]
    parts += [f"{_OTHER_CALLS}\n", *_calls(complaints)]
    flavored = next(client for client in CLIENTS if client.key == FLAVOR_CLIENT)
    parts += [f"{_OTHER_TYPES}\n", f"Asked by {flavored.title}. {_NOT_RUN}\n"]
    parts += _table(flavored, FLAVORS, complaints)
    return "\n".join(parts)


_NOT_RUN = """\
Mistral is not run here: it tells the usage of a stream unasked, which the mock, as OpenAI, does not."""
_OTHER_CALLS = "## Other calls"
_OTHER_TYPES = "## Other types of provider"


def told(text: str) -> dict[Cell, bool]:
    """Which cells of a page say yes; what the page does not have, for it is older than the tables, is not there."""
    keys = {f"## {client.title}": client.key for client in CLIENTS} | {_OTHER_TYPES: FLAVOR_CLIENT}
    titles = {client.title: client.key for client in CLIENTS}
    found: dict[Cell, bool] = {}
    heading, columns = "", [""]
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("#"):
            heading = line
        elif line.startswith(("| provider |", "| client |")):
            columns = cells
        elif line.startswith("|") and heading in keys:
            marks = zip(columns[1:], cells[1:], strict=True)
            found |= {(keys[heading], cells[0], scenario): mark.startswith("yes") for scenario, mark in marks}
        elif line.startswith("|") and heading == _OTHER_CALLS and cells[0] in titles:
            marks = zip(columns[2:], cells[2:], strict=True)
            found |= {(titles[cells[0]], type_, cells[1]): mark.startswith("yes") for type_, mark in marks}
    known = frozenset(shown())
    return {cell: yes for cell, yes in found.items() if cell in known}


def shown() -> list[Cell]:
    """The cells that are in the tables; how the mock does is nobody's concern but ours."""
    return [cell for cell in cells() if cell[1] != MOCK]


_NONE = "n/a"


def _calls(complaints: Mapping[Cell, str]) -> Iterator[str]:
    """The table of what is no conversation, and its notes."""
    notes: list[str] = []
    types = [provider.type for provider in PROVIDERS]
    lines = [f"| client | call | {' | '.join(types)} |", f"|---|---|{'---|' * len(types)}"]
    for client in CLIENTS:
        for call in (call for call in CALLS if call in client.calls):
            keys = [(client.key, type_, call) for type_ in types]
            line = [_outcome(client, call, complaints[key], notes) if key in complaints else _NONE for key in keys]
            lines.append(f"| {client.title} | {call} | {' | '.join(line)} |")
    yield "\n".join(lines) + "\n"
    if notes:
        yield _numbered(notes)


def _numbered(notes: list[str]) -> str:
    return "\n".join(f"{number}. {note}" for number, note in enumerate(notes, start=1)) + "\n"


def _table(client: Client, providers: tuple[Provider, ...], complaints: Mapping[Cell, str]) -> Iterator[str]:
    """The lines of one table and the notes below it."""
    notes: list[str] = []
    lines = [f"| provider | {' | '.join(SCENARIOS)} |", f"|---|{'---|' * len(SCENARIOS)}"]
    for provider in providers:
        keys = [(client.key, provider.type, scenario) for scenario in SCENARIOS]
        outcomes = [_outcome(client, key[2], complaints[key], notes) if key in complaints else _NONE for key in keys]
        lines.append(f"| {provider.type} | {' | '.join(outcomes)} |")
    yield "\n".join(lines) + "\n"
    if notes:
        yield _numbered(notes)


def _outcome(client: Client, scenario: str, complaint: str, notes: list[str]) -> str:
    """One cell; its note, if it has one, is added unless it is there already."""
    word, note = ("no", tidy(complaint)) if complaint else ("yes", client.notes.get(scenario, ""))
    if not note:
        return word
    if note not in notes:
        notes.append(note)
    return f"{word} ({notes.index(note) + 1})"


def tidy(complaint: str) -> str:
    """A complaint as a note: without what differs from run to run, and not long."""
    line = " ".join(_OF_ONE_RUN.sub("…", complaint).split())
    quoted = line[:200].replace("`", "'")
    return f"`{quoted}`"
