"""CRDs as YAML text: the one place of this package that knows YAML."""

from typing import Any

import yaml

_HEADER = "# Generated from the API types by `make generate`; edits here are lost.\n"


def render(crd: dict[str, Any]) -> str:
    """One CRD as a YAML document, the same bytes for the same content.

    Raises:
        ValueError: The text holds a `{{`, which Helm would take for a template where the file is copied into a chart.
    """
    text = yaml.dump(crd, Dumper=_Dumper, sort_keys=True, width=120, allow_unicode=True)
    if "{{" in text:
        raise ValueError(f"{crd['metadata']['name']}: a description holds {{{{, which Helm would execute")
    return f"{_HEADER}---\n{text}"


class _Dumper(yaml.SafeDumper):
    """Writes lines as lines, and never an alias."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - the signature is PyYAML's
        return True


def _string(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    style = "|" if "\n" in value else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _string)
