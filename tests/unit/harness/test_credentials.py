"""Tokens and keys that the harness makes for its API servers."""

import base64
import shutil
import subprocess

import pytest

from harness.credentials import User, service_account_key, token_file


def test_token_file_has_a_line_for_each_user() -> None:
    """Token, name, uid and the groups in quotes, as the API server reads them."""
    users = [User("alice", ("developers", "ops"), token="t1"), User("bob", token="t2")]
    assert token_file(users) == 't1,alice,alice,"developers,ops"\nt2,bob,bob,""\n'


def test_a_token_is_not_shown() -> None:
    """A user printed in a failing test keeps the token to itself."""
    assert "t1" not in repr(User("alice", token="t1"))


def test_key_is_one_that_others_can_read() -> None:
    """OpenSSL takes the key for a P-256 key; no two are the same."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("missing: openssl")
    key = service_account_key()
    command = [openssl, "ec", "-noout", "-text"]
    said = subprocess.run(command, input=key, capture_output=True, text=True, check=True).stdout
    assert "ASN1 OID: prime256v1" in said
    assert key != service_account_key()


def test_key_is_whole_lines_of_base64() -> None:
    """The frame holds the 32 bytes of the key."""
    body = base64.b64decode("".join(service_account_key().splitlines()[1:-1]))
    assert (len(body), body[1]) == (51, len(body) - 2)
