"""The clouds' own libraries, imported when they are needed and not before."""

import importlib
from typing import Any

from understudy_proxy.exchange.credentials.protocol import UnusableIdentity


def library(module: str, *, extra: str) -> Any:
    """A module of a library that `understudy[EXTRA]` brings.

    Raises:
        UnusableIdentity: it is not there; the message says how to get it.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        message = f"its sign-in needs a library that is not installed: pip install 'understudy[{extra}]'"
        raise UnusableIdentity(message) from error
