"""Personas that are edited while they play: each answer is of one revision, and says of which."""

import json
import re
import sys
import time
from pathlib import Path
from typing import Any

from harness.installed import PROXIES, Gateway
from harness.kubectl import KubectlError
from harness.process import wait_until

API = "understudy.dev/v1alpha1"
PARROT = Path(__file__).with_name("parrot.py")
EDITS = 6
MODELS = ("persona/narrator", "persona/herald")
ASK_EACH = """
import json, sys, urllib.request
body = json.dumps({"model": sys.argv[1], "messages": [{"role": "user", "content": "Who are you?"}]}).encode()
for address in sys.argv[2:]:
    url = f"http://{address}:8080/v1/chat/completions"
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        said = json.load(answer)["choices"][0]["message"]["content"]
        print(json.dumps([answer.headers["x-understudy-persona-revision"], said]))
"""
METRICS = "import urllib.request; print(urllib.request.urlopen('http://localhost:9090/metrics').read().decode())"
COUNTED = re.compile(r'^understudy_persona_requests_total\{.*persona_revision="(\w+)".*\} ([\d.]+)$', re.MULTILINE)


def test_prompts_are_edited_under_load(gateway: Gateway) -> None:
    """No request fails or mixes two prompts; once an edit is live every pod has it; metrics tell the prompts apart."""
    put_on_stage(gateway)
    seen = {model: [revision_everywhere(gateway, model, 0)] for model in MODELS}
    seconds = []
    with gateway.load(MODELS) as load:
        for number in range(1, EDITS + 1):
            seconds.append(edit_prompt(gateway, number))
            seen[MODELS[1]].append(revision_everywhere(gateway, MODELS[1], number))
            edit_narrator(gateway, number)
            seen[MODELS[0]].append(revision_everywhere(gateway, MODELS[0], number))
    counted = counted_by_pod(gateway)
    shown = ", ".join(f"{each:.2f}" for each in seconds)
    sys.stdout.write(f"a prompt in a ConfigMap was on every pod after {shown} s (kubectl's own time included)\n")
    assert load.report is not None
    assert [] == load.report["failures"]
    heard = load.report["revisions"]
    for model, revisions in seen.items():
        expected = {revision: [said(model, number)] for number, revision in enumerate(revisions)}
        assert expected == {revision: list(texts) for revision, texts in heard[model].items()}
    before, now = seen[MODELS[0]][-2:]
    assert all(pod.keys() >= {before, now} for pod in counted), counted
    answers = sum(heard[MODELS[0]][now].values()) + PROXIES  # the last are those that were asked one by one
    assert answers == sum(pod[now] for pod in counted)


def put_on_stage(gateway: Gateway) -> None:
    """Two personas, played by one who repeats what it is told: a prompt in the object, a prompt in a ConfigMap."""
    program = gateway.add_program(PARROT)
    gateway.run_pod("parrot", ["python3", f"/{program}/{PARROT.name}", "8000"], config_map=program)
    gateway.kubectl("expose", "pod/parrot", "--port=8000")
    herald = persona("herald", system={"configMapKeyRef": {"name": "herald", "key": "prompt"}})
    gateway.apply(parrot(), prompt(0), herald, narrator(0))
    gateway.kubectl("wait", "--for=condition=Programmed", "persona/narrator", "persona/herald", "--timeout=30s")
    wait_until(lambda: is_everywhere(gateway, MODELS[1], 0), within_seconds=20, what="the parrot answers")


def edit_prompt(gateway: Gateway, number: int) -> float:
    """Change the ConfigMap; seconds until every proxy answers by it, because nothing else tells."""
    started = time.monotonic()
    gateway.apply(prompt(number))
    wait_until(lambda: is_everywhere(gateway, MODELS[1], number), within_seconds=15, what="the new prompt is live")
    return time.monotonic() - started


def edit_narrator(gateway: Gateway, number: int) -> None:
    """Change the persona, and wait until it says that all proxies run it."""
    gateway.apply(narrator(number))
    generation = int(gateway.get("persona", "narrator")["metadata"]["generation"])
    gateway.wait_until_live(generation, kind="persona", name="narrator", seconds=30)


def parrot() -> dict[str, Any]:
    """The provider."""
    spec = {"type": "OpenAICompatible", "serviceRef": {"name": "parrot", "port": 8000}, "models": [{"name": "m"}]}
    return {"apiVersion": API, "kind": "LLMProvider", "metadata": {"name": "parrot"}, "spec": spec}


def prompt(number: int) -> dict[str, Any]:
    """The ConfigMap with the herald's prompt as of an edit."""
    data = {"prompt": f"You herald edit {number}."}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "herald"}, "data": data}


def narrator(number: int) -> dict[str, Any]:
    """The narrator as of an edit, in which two things change at once."""
    parameters = {"defaults": {"temperature": (number + 1) / 10}}
    return persona("narrator", system={"text": f"You narrate edit {number}."}, parameters=parameters)


def persona(name: str, **spec: Any) -> dict[str, Any]:
    """A persona that the parrot plays."""
    preferences = [{"providerRef": {"name": "parrot"}, "model": "m"}]
    spec = {"preferences": preferences, **spec}
    return {"apiVersion": API, "kind": "Persona", "metadata": {"name": name}, "spec": spec}


def said(model: str, number: int) -> str:
    """What the parrot says as one of them, as of an edit."""
    if model == "persona/narrator":
        return f"You narrate edit {number}. At {(number + 1) / 10}. You narrate edit {number}. "
    return f"You herald edit {number}. At None. You herald edit {number}. "


def answers_of_each(gateway: Gateway, model: str) -> list[tuple[str, str]]:
    """Ask each proxy itself: the revision by which it answers, and what is said."""
    addresses = [pod["status"]["podIP"] for pod in gateway.proxies()]
    printed = gateway.kubectl("exec", "asker", "--", "python3", "-c", ASK_EACH, model, *addresses)
    return [tuple(json.loads(line)) for line in printed.splitlines()]


def is_everywhere(gateway: Gateway, model: str, number: int) -> bool:
    """Whether every proxy answers as of an edit; right after its Service was made a provider may not be found yet."""
    try:
        return {said(model, number)} == {text for _, text in answers_of_each(gateway, model)}
    except KubectlError:
        return False


def revision_everywhere(gateway: Gateway, model: str, number: int) -> str:
    """The revision by which all proxies answer, which have to do so as of an edit."""
    answers = answers_of_each(gateway, model)
    assert PROXIES == len(answers)
    ((revision, text),) = set(answers)
    assert said(model, number) == text
    return revision


def counted_by_pod(gateway: Gateway) -> list[dict[str, float]]:
    """How many requests each proxy has counted, by revision."""
    names = [pod["metadata"]["name"] for pod in gateway.proxies()]
    pages = [gateway.system("exec", name, "--", "python3", "-c", METRICS) for name in names]
    return [{revision: float(number) for revision, number in COUNTED.findall(page)} for page in pages]
