"""The example of personas on a stage: mocks play the vendors, each in its own dialect."""

from pathlib import Path

from harness.pages import REPOSITORY
from understudy.local import from_files
from understudy.mock import Mock
from understudy_api.config import Snapshot

EXAMPLE = REPOSITORY / "examples" / "personas"
KEYS = dict.fromkeys(("ANTHROPIC_API_KEY", "OPENAI_API_KEY", "GEMINI_API_KEY"), "a-key")
BASES = {"Anthropic": "", "OpenAI": "/v1", "Gemini": ""}


def staged(folder: Path, actors: dict[str, Mock], *, edit: tuple[str, str] = ("", "")) -> Snapshot:
    """The example, with each type of provider played by a mock, and `edit` made in its personas."""
    providers = (EXAMPLE / "providers.yaml").read_text()
    for kind, mock in actors.items():
        providers = providers.replace(f"type: {kind}\n", f"type: {kind}\n  baseURL: {mock.url}{BASES[kind]}\n")
    (folder / "providers.yaml").write_text(providers)
    (folder / "personas.yaml").write_text((EXAMPLE / "personas.yaml").read_text().replace(*edit))
    (folder / "secrets.yaml").write_text((EXAMPLE / "local-secrets.yaml").read_text())
    return from_files((str(folder),), environment=KEYS, namespace="default").snapshot
