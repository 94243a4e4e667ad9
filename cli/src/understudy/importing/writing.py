"""Objects as YAML for people: comments above each, long texts as blocks, Secrets as commands that create them."""

import textwrap
from collections.abc import Iterator
from typing import Any

import yaml

from understudy.importing.objects import Objects, SecretNeeded
from understudy.linting import printable

_WIDTH = 116


class _Dumper(yaml.SafeDumper):
    """YAML in which lists are indented, texts of many lines are blocks, and nothing is an alias."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002
        """Indent lists, too: PyYAML's signature."""
        super().increase_indent(flow, indentless=False)

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - PyYAML's signature
        """A part that is used twice is written twice."""
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def as_yaml(objects: Objects, *, namespace: str) -> str:
    """All objects, ready for `understudy lint` and `kubectl apply`."""
    head = "\n".join(f"# {line}".rstrip() for line in _head(objects, namespace))
    documents = []
    for made in objects.all():
        comments = "".join(f"# {line}\n" for each in dict.fromkeys(made.comments) for line in _wrapped(each))
        body = yaml.dump(made.manifest(namespace), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_WIDTH)
        documents.append(comments + body)
    return (f"{head}\n\n" if head else "") + "---\n".join(documents)


def _head(objects: Objects, namespace: str) -> Iterator[str]:
    for remark in dict.fromkeys(objects.remarks):
        yield from _wrapped(remark)
    if objects.secrets and objects.remarks:
        yield ""
    if objects.secrets:
        yield "Secrets to create first; no key is in this file:"
    for secret in objects.secrets.values():
        yield from _creation(secret, namespace)


def _creation(secret: SecretNeeded, namespace: str) -> Iterator[str]:
    where = f" --namespace {namespace}" if namespace else ""
    values = " ".join(
        f'--from-literal={key}="${variable}"' if variable else f"--from-literal={key}=..."
        for key, variable in secret.keys.items()
    )
    if secret.found:
        yield f"  the key is written out in {printable(secret.found)}; it is better replaced by a new one"
    yield f"  kubectl create secret generic {secret.name}{where} {values}"


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(printable(text), _WIDTH) or [""]
