"""Write the CRDs into folders, or compare what is there with what would be written."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from understudy_api.crdgen.definition import definitions
from understudy_api.crdgen.text import render
from understudy_api.v1alpha1.meta import GROUP


def write(folder: Path, files: Mapping[str, str]) -> None:
    """Make the generated files of a folder these, and remove those of kinds that are gone."""
    folder.mkdir(parents=True, exist_ok=True)
    for stale in _generated(folder) - files.keys():
        (folder / stale).unlink()
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")


def differing(folder: Path, files: Mapping[str, str]) -> list[Path]:
    """The files of a folder that are missing, stale or not as they would be written."""
    differ = _generated(folder) - files.keys()
    for name, text in files.items():
        path = folder / name
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            differ.add(name)
    return [folder / name for name in sorted(differ)]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; 1 when `--check` finds a difference."""
    parser = argparse.ArgumentParser(prog="python -m understudy_api.crdgen", description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER")
    parser.add_argument("--check", action="store_true", help="compare only; exit 1 and name the files that differ")
    options = parser.parse_args(arguments)
    files = {name: render(crd) for name, crd in definitions().items()}
    if not options.check:
        for folder in options.folders:
            write(folder, files)
        return 0
    differ = [path for folder in options.folders for path in differing(folder, files)]
    for path in differ:
        sys.stderr.write(f"{path} is not what the API types say; run make generate\n")
    return 1 if differ else 0


def _generated(folder: Path) -> set[str]:
    return {path.name for path in folder.glob(f"{GROUP}_*.yaml")}


if __name__ == "__main__":
    sys.exit(main())
