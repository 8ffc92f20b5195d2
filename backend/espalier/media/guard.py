"""Task data may name any address, but may not make this machine talk to its own network.

Every address that a host name resolves to must be public, unless the operator allows the host; the connection is then
made to the very address that was checked, so that the name cannot change its mind in between.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter
from requests.exceptions import ConnectionError as RequestsConnectionError
from requests.utils import select_proxy
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import NameResolutionError, NewConnectionError

from ..errors import BadMedia

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_DEFAULT_PORTS = {"http": 80, "https": 443}

Origin = tuple[str, str, int]
"""Scheme, host and port: what a browser calls the same site."""


def origin_of(url: str) -> Origin:
    """Raises BadMedia for what is no http(s) address."""
    try:
        parts = urlsplit(url)
        port = parts.port or _DEFAULT_PORTS.get(parts.scheme, 0)
    except ValueError as error:
        raise BadMedia(f"{url[:120]!r} is not an address: {error}") from error
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
        raise BadMedia(f"{url[:120]!r} is not an http or https address")
    return parts.scheme, parts.hostname.lower(), port


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the open internet, whatever notation it hides behind."""
    ip = ipaddress.ip_address(address.split("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
    return ip.is_global and not ip.is_multicast


class Guard:
    """Whom this machine may talk to: public addresses, and the hosts (`host` or `host:port`) that are allowed."""

    def __init__(self, allowed: Iterable[str]) -> None:
        self.allowed = frozenset(host.strip().lower().strip("[]") for host in allowed)

    def addresses(self, host: str, port: int) -> list[str]:
        """What the host resolves to. Raises BadMedia where it is not allowed, OSError where it has no address."""
        found = [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
        host = host.lower().strip("[]")
        if host not in self.allowed and f"{host}:{port}" not in self.allowed:
            for address in found:
                if not is_public(address):
                    raise BadMedia(
                        f"{host!r} is at {address}, a private address, which task data may not reach: "
                        f"if it is meant to, add {host!r} to ESPALIER_ALLOWED_HOSTS"
                    )
        return list(dict.fromkeys(found))

    def adapter(self) -> HTTPAdapter:
        """For a `requests.Session`: every connection of it goes through this guard."""
        return _GuardedAdapter(self)


class _GuardedAdapter(HTTPAdapter):
    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        guard = self._guard

        class Plain(_Guarded, HTTPConnection):
            pass

        class Encrypted(_Guarded, HTTPSConnection):
            pass

        Plain.guard = Encrypted.guard = guard
        plain_pool = type("PlainPool", (HTTPConnectionPool,), {"ConnectionCls": Plain})
        encrypted_pool = type("EncryptedPool", (HTTPSConnectionPool,), {"ConnectionCls": Encrypted})
        self.poolmanager.pool_classes_by_scheme = {"http": plain_pool, "https": encrypted_pool}

    def send(self, request: PreparedRequest, *args: Any, **kwargs: Any) -> Response:
        if select_proxy(
            request.url or "", kwargs.get("proxies")
        ):  # the proxy connects, so the name is all we can check
            _, host, port = origin_of(request.url or "")
            try:
                self._guard.addresses(host, port)
            except OSError as error:
                raise RequestsConnectionError(error, request=request) from error
        return super().send(request, *args, **kwargs)


class _Guarded(HTTPConnection):
    """Connects to an address that the guard has seen; certificates are still checked against the host's name."""

    guard: Guard

    def _new_conn(self) -> socket.socket:
        name = self._dns_host
        try:
            addresses = self.guard.addresses(name, int(self.port or self.default_port))
        except OSError as error:
            raise NameResolutionError(name, self, error) from error  # type: ignore[arg-type]
        refused: Exception | None = None
        for address in addresses:
            self._dns_host = address
            try:
                return super()._new_conn()
            except NewConnectionError as error:
                refused = error
            finally:
                self._dns_host = name
        raise refused or NewConnectionError(self, f"{name} has no address")
