"""Which addresses a name may lead to."""

import pytest

from understudy_proxy.addresses import holds_secrets, is_forbidden


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.255.255.254",
        "::1",
        "0.0.0.0",
        "0.0.0.7",
        "::",
        "169.254.169.254",
        "169.254.170.2",
        "fe80::1",
        "fe80::1%eth0",
        "224.0.0.1",
        "ff02::1",
        "255.255.255.255",
        "240.0.0.1",
        "100.100.100.200",
        "168.63.129.16",
        "192.0.0.192",
        "fd00:ec2::254",
        "fd00:0ec2:0:0::23",
        "fd20:ce::254",
        "::ffff:169.254.169.254",
        "::ffff:7f00:1",
        "::127.0.0.1",
        "64:ff9b::a9fe:a9fe",
        "2002:a9fe:a9fe::1",
        "2002:7f00:1::",
        pytest.param("2001:0:4136:e378:8000:63bf:5601:5601", id="teredo, whose client is 169.254.169.254"),
        "not an address",
        "",
    ],
)
def test_forbidden(address: str) -> None:
    """This machine, link-local and metadata addresses, however they are dressed."""
    assert is_forbidden(address)


@pytest.mark.parametrize(
    "address",
    ["10.96.0.10", "172.16.3.4", "192.168.1.1", "100.64.0.1", "8.8.8.8", "fd12:3456::1", "2606:4700::1111",
     "::ffff:10.0.0.1", "64:ff9b::808:808"],
)  # fmt: skip
def test_permitted(address: str) -> None:
    """Private networks are where tools live; the rest of the world is open, too."""
    assert not is_forbidden(address)


@pytest.mark.parametrize(
    ("address", "held"),
    [
        ("169.254.169.254", True),
        ("::ffff:169.254.169.254", True),
        ("64:ff9b::a9fe:a9fe", True),
        ("fe80::1", True),
        ("100.100.100.200", True),
        ("fd00:ec2::254", True),
        ("127.0.0.1", False),
        ("::1", False),
        ("10.0.0.1", False),
        ("agents.example.com", False),
    ],
)
def test_where_secrets_are(address: str, held: bool) -> None:
    """An agent may be on the gateway's machine, but never where clouds keep credentials."""
    assert held == holds_secrets(address)
