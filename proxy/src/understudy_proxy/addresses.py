"""Which addresses a name may turn out to have: a tool's that an object names, an agent's that it says itself.

Either may be anywhere, in the cluster too: private addresses are where they live. What no name leads to by right is
what clouds keep at fixed addresses: metadata, and with it the node's credentials; and for tools the gateway's own
machine, where agents may well be. An object that really means one of them writes the address itself.
"""

import ipaddress

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_METADATA = frozenset(
    ipaddress.ip_address(address)
    for address in (
        "100.100.100.200",  # Alibaba Cloud
        "168.63.129.16",  # Azure's host of a virtual machine
        "192.0.0.192",  # Oracle Cloud, where 169.254.169.254 is not used
        "fd00:ec2::23",  # Amazon EKS, credentials of pods
        "fd00:ec2::254",  # Amazon EC2
        "fd20:ce::254",  # Google Cloud
    )
)
"""Those that are not link-local; all the others, 169.254.169.254 first, are."""
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
"""RFC 6052: the last 32 bits are an IPv4 address."""
_THIS_NETWORK = ipaddress.ip_network("0.0.0.0/8")
"""RFC 1122: this host; Linux connects to itself."""


def is_forbidden(text: str) -> bool:
    """Whether a tool's name must not lead to this address."""
    found = _read(text)
    return not found or any(_is_special(each) or _holds_secrets(each) for each in found)


def holds_secrets(text: str) -> bool:
    """Whether it is one at which clouds tell a machine its credentials, or might. What is no address is none."""
    return any(_holds_secrets(each) for each in _read(text))


def _read(text: str) -> tuple[_Address, ...]:
    """The address, and those that it stands for; none where it is no address."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return ()
    return (address, *_within(address))


def _holds_secrets(address: _Address) -> bool:
    return address.is_link_local or address in _METADATA


def _is_special(address: _Address) -> bool:
    return (
        address.is_loopback
        or address.is_multicast
        or address.is_unspecified
        or (address.version == 4 and (address in _THIS_NETWORK or address.is_reserved))
    )


def _within(address: _Address) -> tuple[_Address, ...]:
    """The IPv4 addresses that an IPv6 address stands for."""
    if isinstance(address, ipaddress.IPv4Address):
        return ()
    found = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if address in _NAT64 or not int(address) >> 32:  # the latter: IPv4-compatible, of old
        found.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return tuple(each for each in found if each is not None)
