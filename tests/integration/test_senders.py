"""The real sender and its fake do the same: against a real mail server on the loopback that can say no, or go away."""

from __future__ import annotations

import asyncio
import datetime
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any, cast

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from notifications.envelope import to_message
from notifications.rendering import render
from notifications.senders import PermanentFailure, Sender, SmtpSender, TemporaryFailure, UnusableAddress
from tests import mails
from tests.fakes import FakeSender

MAIL = mails.every_mail("de", mails.question("de"))["request"]
MESSAGE = to_message(MAIL, render(MAIL), "request/1/1", "Etappe <etappe@example.com>", "example.com")
ANNA, BEN = "anna.keller@example.com", "ben@example.com"


class Server:
    """A mail server on a free port whose answers can be chosen: `replies`, one per mail, at the `moment` named."""

    def __init__(self, moment: str = "data", **options: Any) -> None:
        self.replies: list[int | None] = []
        self.sent: list[tuple[str, EmailMessage]] = []
        self.connections = self.asked = 0
        self._moment = moment
        self._options = options
        self._protocols: list[SMTP] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(10)
        self.port: int = self._server.sockets[0].getsockname()[1]

    async def _start(self) -> asyncio.Server:
        context = self._options.pop("smtps", None)
        return await self._loop.create_server(self._protocol, "127.0.0.1", 0, ssl=context)

    def _protocol(self) -> SMTP:
        self.connections += 1
        self._protocols.append(SMTP(self, hostname="localhost", **self._options))
        return self._protocols[-1]

    async def handle_MAIL(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Any) -> str:
        envelope.mail_from = address
        return self._reply("mail")

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Any) -> str:
        reply = self._reply("rcpt")
        if reply.startswith("250"):
            envelope.rcpt_tos.append(address)
        return reply

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        reply = self._reply("data")
        if reply.startswith("250"):
            message = message_from_bytes(cast(bytes, envelope.content), policy=policy.default)
            self.sent += [(recipient, message) for recipient in envelope.rcpt_tos]
        return reply

    async def handle_NOOP(self, server: SMTP, session: Session, envelope: Envelope, argument: str) -> str:
        self.asked += 1
        return "250 OK"

    def _reply(self, moment: str) -> str:
        if moment != self._moment or not self.replies:
            return "250 OK"
        reply = self.replies.pop(0)
        if reply is None:
            self._cut()
            return "421 bye"
        return f"{reply} because"

    def drop_connections(self) -> None:
        """Cut every line, as a server does with idle ones."""
        self._loop.call_soon_threadsafe(self._cut)
        asyncio.run_coroutine_threadsafe(asyncio.sleep(0.05), self._loop).result(5)

    def _cut(self) -> None:
        for protocol in self._protocols:
            if protocol.transport is not None:
                cast(asyncio.Transport, protocol.transport).abort()

    def stop(self) -> None:
        """Be down. Stopping twice is allowed."""
        if self._loop.is_closed():
            return
        self._loop.call_soon_threadsafe(self._server.close)
        self.drop_connections()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()


def send_once(url: str, context: ssl.SSLContext | None = None) -> None:
    with closing(SmtpSender(url, timeout=5, context=context)) as sender:
        sender.send(MESSAGE, ANNA)


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.stop()


class RealPost:
    """The real sender, its server, and the words of the fake for what is set up and seen."""

    def __init__(self, moment: str) -> None:
        self.server = Server(moment)
        self.sender: Sender = SmtpSender(f"smtp://127.0.0.1:{self.server.port}", timeout=5)
        self.replies, self.sent = self.server.replies, self.server.sent

    def stop(self) -> None:
        self.sender.close()
        self.server.stop()


class FakePost:
    """The fake on its own."""

    def __init__(self) -> None:
        fake = FakeSender()
        self.sender: Sender = fake
        self.replies, self.sent = fake.replies, fake.sent

    def stop(self) -> None:
        self.sender.close()


Post = RealPost | FakePost


@pytest.fixture(params=["fake", "mail", "rcpt", "data"])
def post(request: pytest.FixtureRequest) -> Iterator[Post]:
    post: Post = FakePost() if request.param == "fake" else RealPost(request.param)
    yield post
    post.stop()


def test_a_mail_arrives_as_it_was_written(post: Post) -> None:
    post.sender.send(MESSAGE, ANNA)
    ((recipient, received),) = post.sent
    assert recipient == ANNA
    assert received["Subject"] == MESSAGE["Subject"]
    assert received["Message-ID"] == MESSAGE["Message-ID"]
    assert "123 456" in cast(EmailMessage, received.get_body(("plain",))).get_content()


@pytest.mark.parametrize("code", [421, 450, 451, 452])
def test_a_4xx_may_pass_on_another_try(post: Post, code: int) -> None:
    post.replies.append(code)
    with pytest.raises(TemporaryFailure, match=str(code)):
        post.sender.send(MESSAGE, ANNA)
    post.sender.send(MESSAGE, ANNA)
    assert len(post.sent) == 1


@pytest.mark.parametrize("code", [550, 552, 554])
def test_a_5xx_is_for_good_and_for_this_mail_alone(post: Post, code: int) -> None:
    post.replies.append(code)
    with pytest.raises(PermanentFailure, match=str(code)):
        post.sender.send(MESSAGE, ANNA)
    post.sender.send(MESSAGE, BEN)
    assert [recipient for recipient, _ in post.sent] == [BEN]


def test_a_line_that_breaks_is_temporary(post: Post) -> None:
    post.replies.append(None)
    with pytest.raises(TemporaryFailure):
        post.sender.send(MESSAGE, ANNA)
    post.sender.send(MESSAGE, ANNA)
    assert len(post.sent) == 1


def test_sending_goes_on_after_closing(post: Post) -> None:
    post.sender.send(MESSAGE, ANNA)
    post.sender.close()
    post.sender.send(MESSAGE, ANNA)
    assert len(post.sent) == 2


def test_the_connection_is_kept(server: Server) -> None:
    sender = SmtpSender(f"smtp://127.0.0.1:{server.port}", timeout=5)
    for _ in range(3):
        sender.send(MESSAGE, ANNA)
    sender.close()
    assert (server.connections, len(server.sent)) == (1, 3)


def test_the_server_is_asked_whether_it_is_there_only_when_the_connection_has_rested(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(SmtpSender(f"smtp://127.0.0.1:{server.port}", timeout=5)) as sender:
        for _ in range(3):
            sender.send(MESSAGE, ANNA)
        assert server.asked == 0
        monkeypatch.setattr("notifications.senders.ASK_AFTER_SECONDS", 0)
        sender.send(MESSAGE, ANNA)
    assert (server.connections, server.asked, len(server.sent)) == (1, 1, 4)


def test_a_subject_is_sent_as_it_is_written(server: Server) -> None:
    """Python 3.11 loses a blank between two words of more than ASCII, unless they are encoded together."""
    subject = "Für „Bücher“ – über größere Öfen"
    message = to_message(MAIL, replace(render(MAIL), subject=subject), "key", "Etappe <etappe@example.com>", "e.com")
    with closing(SmtpSender(f"smtp://127.0.0.1:{server.port}", timeout=5)) as sender:
        sender.send(message, ANNA)
    [(_, received)] = server.sent
    assert received["Subject"] == subject


def test_a_stale_connection_is_made_anew_without_a_failure(server: Server) -> None:
    sender = SmtpSender(f"smtp://127.0.0.1:{server.port}", timeout=5)
    sender.send(MESSAGE, ANNA)
    server.drop_connections()
    sender.send(MESSAGE, ANNA)
    sender.close()
    assert (server.connections, len(server.sent)) == (2, 2)


def test_a_server_that_is_down_is_temporary(server: Server) -> None:
    server.stop()
    with pytest.raises(TemporaryFailure, match=rf"127\.0\.0\.1:{server.port}.*refused"):
        send_once(f"smtp://127.0.0.1:{server.port}")


def test_a_server_that_says_nothing_is_temporary() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        sender = SmtpSender(f"smtp://127.0.0.1:{mute.getsockname()[1]}", timeout=0.3)
        with pytest.raises(TemporaryFailure, match="timed out"):
            sender.send(MESSAGE, ANNA)


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")  # the server's, on the loopback
def test_user_and_password_are_given_and_a_wrong_one_loses_no_mail() -> None:
    def check(*args: Any) -> AuthResult:
        given = cast(LoginPassword, args[-1])
        return AuthResult(success=(given.login, given.password) == (b"me@x", b"p@ss:/word"), handled=False)

    server = Server(authenticator=check, auth_required=True, auth_require_tls=False)
    send_once(f"smtp://me%40x:p%40ss%3A%2Fword@127.0.0.1:{server.port}")
    with pytest.raises(TemporaryFailure, match="535") as refused:
        send_once(f"smtp://me%40x:wrong@127.0.0.1:{server.port}")
    assert "wrong" not in str(refused.value)
    with pytest.raises(TemporaryFailure, match="530"):
        send_once(f"smtp://127.0.0.1:{server.port}")
    assert len(server.sent) == 1
    server.stop()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for localhost that nobody has signed but itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "localhost.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.mark.parametrize(("scheme", "option"), [("smtps", "smtps"), ("smtp+starttls", "tls_context")])
def test_tls_is_used_and_the_certificate_verified(certificate: Path, scheme: str, option: str) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    options: dict[str, Any] = {option: context, "require_starttls": option == "tls_context"}
    server = Server("data", **options)
    url = f"{scheme}://localhost:{server.port}"
    send_once(url, ssl.create_default_context(cafile=str(certificate)))
    with pytest.raises(TemporaryFailure, match="certificate verify failed"):
        send_once(url)
    assert len(server.sent) == 1
    server.stop()


def test_without_tls_nothing_is_sent_where_tls_is_asked_for(server: Server) -> None:
    with pytest.raises(TemporaryFailure, match="STARTTLS"):
        send_once(f"smtp+starttls://127.0.0.1:{server.port}")
    assert not server.sent


@pytest.mark.parametrize(
    "url", ["", "mail.example.com", "http://x", "smtp://", "smtp://x:port", "smtp://x:99999", "smtp://x/path"]
)
def test_an_address_that_cannot_be_used_is_refused(url: str) -> None:
    with pytest.raises(UnusableAddress):
        SmtpSender(url)


def test_a_refused_address_does_not_show_its_password() -> None:
    with pytest.raises(UnusableAddress) as refused:
        SmtpSender("smtp://user:secr/et@mail.example.com")
    assert "secr" not in str(refused.value)
