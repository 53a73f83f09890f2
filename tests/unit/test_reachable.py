"""A plan can make Etappe ask the open internet, and nothing that is nearer."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.reachable import is_public

NEAR = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "100.127.255.255",
    "127.0.0.1",
    "127.8.8.8",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.8",
    "192.0.2.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "::127.0.0.1",
    "64:ff9b::127.0.0.1",
    "64:ff9b::10.0.0.1",
    "64:ff9b:1::1",
    "100::1",
    "2001:db8::1",
    "2002:7f00:1::1",
    "2002:a00:1::1",
    "fc00::1",
    "fd12:3456::1",
    "fe80::1",
    "fe80::1%1",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
    "3fff::1",
    "5f00::1",
]
FAR = [
    "1.1.1.1",
    "8.8.8.8",
    "93.184.215.14",
    "172.32.0.1",
    "192.0.1.1",
    "2606:4700::1111",
    "2a00:1450::1",
    "::ffff:1.1.1.1",
    "64:ff9b::1.1.1.1",
]


@pytest.mark.parametrize("address", NEAR)
def test_what_is_near_is_not_asked(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", FAR)
def test_the_open_internet_is(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("text", ["", "localhost", "127.1", "0x7f000001", "2130706433", "1.1.1.1:80", "::g"])
def test_what_is_no_address_is_not_asked(text: str) -> None:
    assert not is_public(text)


@given(st.integers(0, 2**32 - 1))
def test_an_ipv4_address_in_an_ipv6_address_is_judged_like_itself(number: int) -> None:
    plain = IPv4Address(number)
    assert is_public(f"::ffff:{plain}") is is_public(str(plain))
    assert is_public(f"64:ff9b::{plain}") is is_public(str(plain))
    six_to_four = IPv6Address((0x2002 << 112) | (number << 80) | 1)
    assert is_public(str(plain)) or not is_public(str(six_to_four))
