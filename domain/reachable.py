"""Which addresses may be asked because a plan says so: those of the open internet, and no others."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

_TRANSLATED = IPv6Network("64:ff9b::/96")  # NAT64 (RFC 6052): an IPv4 address in its last 32 bits

_FURTHER = tuple(map(ip_network, ("192.0.0.0/24", "192.88.99.0/24", "64:ff9b:1::/48", "3fff::/20", "5f00::/16")))
"""Special purposes (IANA's registries) that Python 3.11 does not know of."""


def is_public(address: str) -> bool:
    """Whether an IP address is on the open internet: not private, loopback, link-local, multicast or reserved.

    An IPv6 address that stands for an IPv4 address (mapped, 6to4, Teredo, NAT64) must be so in both readings. What is
    no IP address is not public.
    """
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    return all(_is_public(each) for each in (parsed, *_embedded(parsed)))


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    if isinstance(address, IPv6Address) and (address.ipv4_mapped is not None or address in _TRANSLATED):
        return True  # decided by the IPv4 address in it
    if any(address in network for network in _FURTHER):
        return False
    special = address.is_private or address.is_loopback or address.is_link_local or address.is_unspecified
    site_local = isinstance(address, IPv6Address) and address.is_site_local
    return address.is_global and not (special or site_local or address.is_multicast or address.is_reserved)


def _embedded(address: IPv4Address | IPv6Address) -> list[IPv4Address]:
    if isinstance(address, IPv4Address):
        return []
    found = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if address in _TRANSLATED:
        found.append(IPv4Address(int(address) & 0xFFFFFFFF))
    return [each for each in found if each is not None]
