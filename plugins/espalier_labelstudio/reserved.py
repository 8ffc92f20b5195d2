"""Label Studio refuses to call private addresses. Exactly the one that Espalier has is taken out of what it refuses.

The list is that of https://en.wikipedia.org/wiki/Reserved_IP_addresses, which Label Studio's own default follows.
"""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import urlsplit

RESERVED = (
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
    "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
    "224.0.0.0/4", "233.252.0.0/24", "240.0.0.0/4", "255.255.255.255/32", "::/128", "::1/128", "::ffff:0:0/96",
    "::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001:0000::/32", "2001:20::/28",
    "2001:db8::/32", "2002::/16", "fc00::/7", "fe80::/10", "ff00::/8",
)  # fmt: skip

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def addresses_of(url: str) -> list[str]:
    """The IP addresses that a URL leads to, without the interface of a link-local one; [] where that cannot be found
    out."""
    try:
        found = socket.getaddrinfo(urlsplit(url).hostname, None, type=socket.SOCK_STREAM)
    except (OSError, ValueError):
        return []
    return sorted({str(entry[4][0]).partition("%")[0] for entry in found})


def all_but(addresses: list[str]) -> list[str]:
    """The reserved networks, less these addresses."""
    left = [ipaddress.ip_network(network) for network in RESERVED]
    for address in addresses:
        left = [part for network in left for part in _without(network, address)]
    return [str(network) for network in left]


def _without(network: Network, address: str) -> list[Network]:
    single = ipaddress.ip_network(address)
    if isinstance(network, ipaddress.IPv4Network) and isinstance(single, ipaddress.IPv4Network):
        return list(network.address_exclude(single)) if single.subnet_of(network) else [network]
    if isinstance(network, ipaddress.IPv6Network) and isinstance(single, ipaddress.IPv6Network):
        return list(network.address_exclude(single)) if single.subnet_of(network) else [network]
    return [network]
