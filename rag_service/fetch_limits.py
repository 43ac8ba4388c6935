"""What may be fetched on a client's behalf: from the public internet, and networks that the owner adds.

Whoever has a page loaded by the service has the service call an address of their choice; from there other machines of
its network answer that trust it, and metadata services of clouds that give out secrets.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rkllm_providers.errors import RKLLMError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

MOST_BYTES: Final = 8 << 20
"""The largest page, unpacked."""

# RFC 4291: what the machines of one IPv6 network have in common.
_NETWORK_BITS: Final = 64
_ANY_PORT: Final = 9
# RFC 6052: IPv4 addresses behind a translator.
_NAT64: Final = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("64:ff9b:1::/48"))


class PageNotLoaded(RKLLMError):
    """A page was not fetched; the message says why, without the page's address."""


@dataclass(frozen=True, slots=True)
class FetchLimits:
    """``seconds`` are for a page, redirects included; ``allowed`` are networks that may be fetched from too."""

    seconds: float = 15.0
    size: int = MOST_BYTES
    allowed: tuple[Network, ...] = ()


def may_fetch(address: str, allowed: Sequence[Network] = ()) -> bool:
    """Whether an address, as the resolver gives it, may be fetched from; ``allowed`` are networks that may be too."""
    try:
        # An interface behind a link-local address is no part of it.
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    every = _meant(parsed)
    return all(_is_public(one) or _is_in(one, allowed) for one in every)


def is_allowed(address: str, allowed: Sequence[Network]) -> bool:
    """Whether the owner has named a network that an address is in.

    Raises:
        ValueError: It is no address.
    """
    return _is_in(_unmapped(ipaddress.ip_address(address.partition("%")[0])), allowed)


def _is_in(address: Address, networks: Sequence[Network]) -> bool:
    return any(address in network for network in networks)


def is_near(address: str) -> bool:
    """Whether an address is this machine's own or, for IPv6, one of its network's.

    In networks with IPv6 every machine has a public address. What this machine would call an address from is asked of
    the system's routes; nothing is sent.

    Raises:
        ValueError: It is no address.
    """
    parsed = _unmapped(ipaddress.ip_address(address.partition("%")[0]))
    family = socket.AF_INET if parsed.version == 4 else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((str(parsed), _ANY_PORT))
            own = ipaddress.ip_address(str(probe.getsockname()[0]).partition("%")[0])
    except OSError:
        return False  # nothing leads there
    bits = 32 if parsed.version == 4 else _NETWORK_BITS
    return parsed in ipaddress.ip_network(f"{own}/{bits}", strict=False)


def _unmapped(address: Address) -> Address:
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return address if mapped is None else mapped


def _is_public(address: Address) -> bool:
    # RFC 3879 took site-local addresses out of use; networks that still have them are private.
    if isinstance(address, ipaddress.IPv6Address) and address.is_site_local:
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def _meant(address: Address) -> list[Address]:
    """The address itself, or the IPv4 ones that are written into an IPv6 one."""
    if isinstance(address, ipaddress.IPv4Address):
        return [address]
    if address.ipv4_mapped is not None:
        return [address.ipv4_mapped]
    if any(address in network for network in _NAT64):
        return [ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)]
    if address.sixtofour is not None:
        return [address, address.sixtofour]
    return [address, *(address.teredo or ())]
