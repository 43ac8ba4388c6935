"""What may be fetched on a client's behalf: from the public internet, and networks that the owner adds.

Whoever has a page loaded by the service has the service call an address of their choice; from there other machines of
its network answer that trust it, and metadata services of clouds that give out secrets.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rkllm_providers.errors import RKLLMError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

MOST_BYTES: Final = 8 << 20
"""The largest page, unpacked."""

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
    return all(_is_public(one) or any(one in network for network in allowed) for one in every)


def _is_public(address: Address) -> bool:
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
