"""A real https server on the loopback with a certificate of its own, whose answers can be chosen one by one."""

from __future__ import annotations

import datetime
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from worker.asking import Network

NAME = "checks.example.com"
PUBLIC = "93.184.215.14"
"""An address of the open internet, of nobody whom a test ever asks."""
Answer = Callable[[BaseHTTPRequestHandler], None]


def says(body: str, status: int = 200, **headers: str) -> Answer:
    """An answer with this body."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body.encode()))}.items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(body.encode())

    return answer


def certificate(folder: Path, name: str = NAME) -> Path:
    """A certificate for a name that nobody has signed but itself, with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / f"{name}.pem"
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


class HttpsServer:
    """`answers` are given one after the other, the last one for ever; `seen` are the requests that came."""

    def __init__(self, certificate: Path, port: int = 0) -> None:
        self.answers: list[Answer] = [says('{"verdict": "pass"}')]
        self.seen: list[dict[str, str]] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.seen.append({"path": self.path, **{name.lower(): text for name, text in self.headers.items()}})
                answer = server.answers[0] if len(server.answers) == 1 else server.answers.pop(0)
                answer(self)

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        class Server(ThreadingHTTPServer):
            def handle_error(self, request: object, client_address: object) -> None:
                """Whoever asks may go away before it has heard the answer."""

        self._server = Server(("127.0.0.1", port), Handler)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Be down."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


@contextmanager
def running(certificate: Path, port: int = 0) -> Iterator[HttpsServer]:
    """Give a server for a while."""
    server = HttpsServer(certificate, port)
    try:
        yield server
    finally:
        server.stop()


def here(port: int, addresses: Sequence[str] = (PUBLIC,)) -> Network:
    """The internet as a test sees it: every name has these addresses, and all of them lead to a port of ours."""
    return Network(lambda host, asked: addresses, lambda address, asked, seconds: connected_to(port, seconds))


def connected_to(port: int, seconds: float) -> socket.socket:
    """A connection to a port of ours, whoever was asked for."""
    return socket.create_connection(("127.0.0.1", port), timeout=seconds)
