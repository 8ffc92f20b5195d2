"""Of the private addresses that Label Studio refuses, exactly Espalier's are taken out."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from espalier_labelstudio.reserved import RESERVED, addresses_of, all_but

NETWORKS = [ipaddress.ip_network(network) for network in RESERVED]


def inside(network: Any) -> Any:
    return st.ip_addresses(network=str(network))


RESERVED_ADDRESSES: Any = st.sampled_from(NETWORKS).flatmap(inside)
ANY: Any = st.ip_addresses() | RESERVED_ADDRESSES


def is_in(networks: Any, address: Any) -> bool:
    return any(address in ipaddress.ip_network(network) for network in networks)


@given(st.lists(ANY, max_size=3), ANY)
def test_exactly_those_addresses_are_taken_out(taken: list[Any], address: Any) -> None:
    left = all_but([str(one) for one in taken])
    assert is_in(left, address) == (is_in(RESERVED, address) and address not in taken)
    assert not any(is_in(left, one) for one in taken)


@given(st.lists(RESERVED_ADDRESSES, max_size=3, unique=True))
def test_the_neighbours_of_an_address_stay_refused(taken: list[Any]) -> None:
    left = all_but([str(one) for one in taken])
    for one in taken:
        for step in (-1, 1):
            beside = type(one)((int(one) + step) % (1 << one.max_prefixlen))
            assert is_in(left, beside) == (is_in(RESERVED, beside) and beside not in taken)


def test_without_an_address_everything_stays_refused() -> None:
    assert all_but([]) == [str(network) for network in NETWORKS]
    assert all_but(["93.184.216.34"]) == all_but([])


@given(st.sampled_from(("http://", "https://", "")), st.text(max_size=30).filter(lambda text: "." not in text))
def test_whatever_the_address_is_nothing_breaks(scheme: str, text: str) -> None:
    url = scheme + f"[{text}"  # never a name that anybody would be asked for
    assert addresses_of(url) == []


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("http://127.0.0.1:9090", ["127.0.0.1"]),
        ("http://10.1.2.3", ["10.1.2.3"]),
        ("http://[::1]:9090/below", ["::1"]),
        ("http://[fe80::1%251]:9090", ["fe80::1"]),
        ("", []),
        ("http://", []),
        ("http://a b", []),
        (f"http://{'a' * 80}.invalid", []),
    ],
)
def test_what_a_url_leads_to(url: str, found: list[str]) -> None:
    assert addresses_of(url) in (found, [])
    assert not any(is_in(all_but(addresses_of(url)), ipaddress.ip_address(one)) for one in addresses_of(url))
    if found and "%" not in url:
        assert addresses_of(url) == found
