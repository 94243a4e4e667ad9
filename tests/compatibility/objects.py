"""The objects of the gateway that clients are put before: a route for each type of provider in each situation."""

import json
from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from compatibility.providers import Provider


class Situation(StrEnum):
    """What happens to a request: the end of a model's name."""

    STEADY = "steady"
    FIRST_DOWN = "first-down"
    ALL_DOWN = "all-down"
    REJECTED = "rejected"
    LIMITED = "limited"
    BROKEN = "broken"
    CUT = "cut"
    RESUMED = "resumed"
    EXECUTED = "executed"


MID_STREAM = frozenset({Situation.BROKEN, Situation.CUT, Situation.RESUMED})
"""Situations that begin well."""

FIRST, UNDERSTUDY = "ada", "bob"
"""The names of the mocks, which their answers tell."""


LOOK_UP = "look_up"
"""The function that the gateway runs in `Situation.EXECUTED`."""


def route(provider: Provider, situation: Situation) -> str:
    """The name of the route that a client asks for; where tools are run, of the persona."""
    return f"{provider.type.lower()}-{situation}"


def model(provider: Provider, situation: Situation) -> str:
    """What a client sends as its model."""
    name = route(provider, situation)
    return f"persona/{name}" if situation is Situation.EXECUTED else name


def gateway_objects(
    providers: Sequence[Provider],
    *,
    first: Callable[[Situation], str],
    understudy: str,
    tool: str,
    google: str = "http://127.0.0.1:9",
    fixed_models: Sequence[str] = (),
) -> Iterator[str]:
    """Each as YAML.

    Args:
        providers: The types of provider.
        first: The address of whom is asked first in a situation.
        understudy: The address of whom is asked next.
        tool: The address of the tool that the gateway runs.
        google: Where Google's tokens are given out.
        fixed_models: Names that have to lead to every route; each does in the namespace named as the route.
    """
    yield _KEYS
    yield _GOOGLE.format(json.dumps(_service_account(f"{google}/token")))
    yield _TOOL.format(url=tool)
    for provider in providers:
        for situation in Situation:
            name = route(provider, situation)
            for mock, url in ((FIRST, first(situation)), (UNDERSTUDY, understudy)):
                yield _PROVIDER.format(name=f"{name}-{mock}", url=url, provider=provider, situation=situation)
            if situation is Situation.EXECUTED:
                yield _PERSONA.format(name=name, first=f"{name}-{FIRST}")
                continue
            route_of = _ROUTE.replace("CUT", "Resume" if situation is Situation.RESUMED else "Fail")
            backends = {"name": name, "first": f"{name}-{FIRST}", "second": f"{name}-{UNDERSTUDY}"}
            yield route_of.format(**backends, namespace="default", models=f"[{{name: {name}}}]")
            if fixed_models:
                models = ", ".join(f"{{name: {model}}}" for model in fixed_models)
                yield route_of.format(**backends, namespace=name, models=f"[{models}]")


def _service_account(token_uri: str) -> str:
    """The key file of an account that nobody has."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return json.dumps(
        {
            "type": "service_account",
            "client_email": "gateway@stage.iam.gserviceaccount.com",
            "private_key_id": "1",
            "private_key": key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
            "token_uri": token_uri,
        }
    )


SECRET_KEY = "secret"
"""AWS's half of a key that nobody may know, here and in `clients/bedrock_sdk.py`."""
_KEYS = f"""\
apiVersion: v1
kind: Secret
metadata: {{name: keys, namespace: default}}
stringData: {{key: sk-any, AWS_ACCESS_KEY_ID: AKIAEXAMPLE, AWS_SECRET_ACCESS_KEY: {SECRET_KEY}}}
"""
_GOOGLE = """\
apiVersion: v1
kind: Secret
metadata: {{name: google, namespace: default}}
stringData: {{key.json: {}}}
"""
# Nobody is ejected: each request is to meet the failure anew.
_PROVIDER = """\
apiVersion: understudy.dev/v1alpha1
kind: LLMProvider
metadata: {{name: {name}, namespace: default}}
spec:
  type: {provider.type}
  baseURL: {url}{provider.path}
  auth: {provider.auth}
  models:
    - name: m
      upstreamName: "{provider.model}{situation}"
      capabilities: {provider.capabilities}
      contextWindow: 100000
  health: {{consecutiveFailures: 1000}}
  allowedNamespaces: {{from: All}}
"""
_TOOL = """\
apiVersion: understudy.dev/v1alpha1
kind: LLMTool
metadata: {{name: look-up, namespace: default}}
spec:
  description: Looks a city up.
  parameters: {{type: object, properties: {{city: {{type: string}}}}, required: [city]}}
  handler: {{http: {{url: "{url}"}}}}
"""
_PERSONA = """\
apiVersion: understudy.dev/v1alpha1
kind: Persona
metadata: {{name: {name}, namespace: default}}
spec:
  preferences: [{{providerRef: {{name: {first}}}, model: m}}]
  tools: {{mode: Execute, refs: [{{name: look-up}}]}}
"""
_ROUTE = """\
apiVersion: understudy.dev/v1alpha1
kind: LLMRoute
metadata: {{name: {name}, namespace: {namespace}}}
spec:
  models: {models}
  rules:
    - backends:
        - {{providerRef: {{name: {first}, namespace: default}}, model: m}}
        - {{providerRef: {{name: {second}, namespace: default}}, model: m, priority: 1}}
  retry: {{backoff: {{base: 1ms, max: 5ms}}}}
  stream: {{onInterruption: CUT}}
"""
