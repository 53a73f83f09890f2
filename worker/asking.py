"""Asking an https address that a plan names: the open internet or a host the operator allows, one answer, a time limit.

The name is looked up once, every address it has is checked, and the connection goes to one of these, so that a name
cannot mean another address a moment later. The certificate is checked for the name. Redirects are not followed.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

from domain.reachable import is_public

LARGEST_ANSWER = 64 * 1024
PORT = 443


class NotAnswered(Exception):
    """Nothing came that can be read as an answer; why, in English, in small letters."""


def addresses_of(host: str, port: int) -> list[str]:
    """Return the addresses of a host, as its name says now. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))


def connect(address: str, port: int, seconds: float) -> socket.socket:
    """Return a connection to an IP address. Raises OSError."""
    return socket.create_connection((address, port), timeout=seconds)


@dataclass(frozen=True)
class Network:
    """How names are looked up, and connections made."""

    addresses_of: Callable[[str, int], Sequence[str]] = addresses_of
    connect: Callable[[str, int, float], socket.socket] = connect


def ask(
    address: str,
    seconds: float,
    allowed_hosts: Collection[str] = (),
    headers: Mapping[str, str] | None = None,
    network: Network = Network(),
    largest: int = LARGEST_ANSWER,
) -> bytes:
    """Return what an https address answers to GET, when it answers 200 within so many seconds, `largest` bytes at most.

    Looking its name up is left to the system, with the limits that the system has for that. Hosts named in
    `allowed_hosts` may have any address. Certificates are trusted as the system does, or as the file named by
    SSL_CERT_FILE says. Raises NotAnswered.
    """
    until = time.monotonic() + seconds
    parts = urlsplit(address)
    host, port = parts.hostname or "", parts.port or PORT
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        addresses = _checked(host, port, allowed_hosts, network)
        with closing(_connected(addresses, port, until, network)) as line:
            return _answer(line, _Request(host, port, path, headers or {}, largest), until)
    except NotAnswered:
        raise
    except (OSError, http.client.HTTPException, ValueError) as failure:
        if time.monotonic() >= until:
            raise NotAnswered(f"it took longer than {seconds:g} seconds") from failure
        raise NotAnswered(_in_words(failure)) from failure


def _checked(host: str, port: int, allowed_hosts: Collection[str], network: Network) -> Sequence[str]:
    addresses = network.addresses_of(host, port)
    if host not in allowed_hosts and (near := [each for each in addresses if not is_public(each)]):
        advice = "whoever runs Etappe can allow it in ETAPPE_CHECK_HOSTS"
        raise NotAnswered(f"{host} has the address {near[0]}, which is not on the open internet; {advice}")
    return addresses


def _connected(addresses: Sequence[str], port: int, until: float, network: Network) -> socket.socket:
    failure: OSError = OSError("the name has no address")
    for address in addresses:
        try:
            return network.connect(address, port, _left(until))
        except OSError as error:
            failure = error
    raise failure


def _left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


@dataclass(frozen=True)
class _Request:
    host: str
    port: int
    path: str
    headers: Mapping[str, str]
    largest: int


def _answer(line: socket.socket, request: _Request, until: float) -> bytes:
    line.settimeout(_left(until))
    context = ssl.create_default_context()
    with context.wrap_socket(line, server_hostname=request.host, do_handshake_on_connect=False) as secure:
        alarm = threading.Timer(_left(until), _cut, [secure])  # each read has a limit of its own; together they do not
        alarm.start()
        try:
            secure.do_handshake()
            body = _exchange(secure, request)
        finally:
            alarm.cancel()
    _left(until)  # a line that was cut looks like an answer that has ended
    return body


def _cut(line: socket.socket) -> None:
    with suppress(OSError):
        socket.socket.shutdown(line, socket.SHUT_RDWR)  # not the TLS one, which may be reading in another thread


def _exchange(secure: ssl.SSLSocket, request: _Request) -> bytes:
    connection = http.client.HTTPSConnection(request.host, request.port)
    connection.sock = secure
    always = {"Accept": "application/json", "User-Agent": "Etappe", "Connection": "close"}
    connection.request("GET", request.path, headers={**always, **request.headers})
    with connection.getresponse() as response:
        if response.status != http.HTTPStatus.OK:
            redirected = "; redirects are not followed" if response.headers.get("Location") else ""
            raise NotAnswered(f"it answered with the status {response.status} instead of 200{redirected}")
        body = response.read(request.largest + 1)
    if len(body) > request.largest:
        raise NotAnswered(f"its answer is larger than {request.largest // 1024} KB")
    return body


def _in_words(failure: Exception) -> str:
    if isinstance(failure, ssl.SSLCertVerificationError):
        return f"its certificate is not good: {failure.verify_message}"
    if isinstance(failure, socket.gaierror):
        return "its name is not known"
    if isinstance(failure, ConnectionRefusedError):
        return "it refuses the connection"
    if isinstance(failure, http.client.HTTPException):
        return f"its answer is broken ({type(failure).__name__})"
    words = failure.strerror if isinstance(failure, OSError) and failure.strerror else str(failure)
    return " ".join(words.split())[:200] or type(failure).__name__
