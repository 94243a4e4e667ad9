"""`understudy crds`."""

from pathlib import Path

import yaml
from click.testing import CliRunner

from understudy.commands.crds import crds

ROOT = Path(__file__).parents[3]


def test_prints_what_the_repository_holds() -> None:
    """`understudy crds | kubectl apply -f -` installs what `kubectl apply -f crds/` does."""
    printed = list(yaml.safe_load_all(CliRunner().invoke(crds).output))
    kept = [yaml.safe_load(path.read_text()) for path in sorted((ROOT / "crds").glob("*.yaml"))]
    assert sorted(printed, key=lambda crd: str(crd["metadata"]["name"])) == kept
