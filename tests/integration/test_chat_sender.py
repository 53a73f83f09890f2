"""The real chat sender and its fake do the same: against a service on the loopback that can say no, or be away."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from notifications.chat import AppriseSender, ChatMessage, ChatSender, is_usable
from notifications.senders import PermanentFailure, TemporaryFailure
from tests.fakes import FakeChat

SECRET = "TIiajkdnlazkcOXrIdevi7FQ"
LINK = "https://etappe.example.com/rollouts/r7k2m9/kQ3f0v8m_q1t7_N2bZr5yUeW9aLs4dGhJpTiOoRvB6E"
MESSAGE = ChatMessage("Social Media 2027", ("Offen: «Pilot»", "«Auswertung»: gefragt sind Anna, Ben"), LINK)


class Service:
    """A chat service on a free port: `replies`, one per message (then 200); `posted` is what came."""

    def __init__(self) -> None:
        self.replies: list[int | None] = []
        self.posted: list[dict[str, Any]] = []
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = service.replies.pop(0) if service.replies else 200
                if status is None:
                    self.close_connection = True
                    return
                if status == 200:
                    service.posted.append(json.loads(body))
                self.send_response(status)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"ok")

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Be down."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


@pytest.fixture
def service() -> Iterator[Service]:
    """A chat service."""
    service = Service()
    yield service
    service.stop()


class Chat:
    """A sender, an address, and the words for what is set up and seen, the same for both."""

    def __init__(self, sender: ChatSender, address: str, replies: list[int | None]) -> None:
        self.sender, self.address, self.replies = sender, address, replies

    def arrived(self) -> list[str]:
        """The texts that were taken."""
        raise NotImplementedError


class RealChat(Chat):
    """The real sender, with a service that takes JSON."""

    def __init__(self, service: Service) -> None:
        super().__init__(AppriseSender(), f"json://anna:{SECRET}@{service.host}/{SECRET}", service.replies)
        self._service = service

    def arrived(self) -> list[str]:
        return [f"{one['title']}\n\n{one['message']}" for one in self._service.posted]


class UnrealChat(Chat):
    """The fake on its own."""

    def __init__(self) -> None:
        self._fake = FakeChat()
        super().__init__(self._fake, "fake://chat", self._fake.replies)

    def arrived(self) -> list[str]:
        return ["\n\n".join([one.title, *one.lines, one.link]) for _, one in self._fake.sent]


@pytest.fixture(params=["fake", "real"])
def chat(request: pytest.FixtureRequest, service: Service) -> Chat:
    """Each of the two."""
    return UnrealChat() if request.param == "fake" else RealChat(service)


def test_a_message_arrives_as_it_was_written(chat: Chat) -> None:
    chat.sender.send(chat.address, MESSAGE)
    assert chat.arrived() == ["\n\n".join([MESSAGE.title, *MESSAGE.lines, MESSAGE.link])]


@pytest.mark.parametrize("reply", [404, 429, 500, None])
def test_what_a_service_refuses_may_pass_on_another_try(chat: Chat, reply: int | None) -> None:
    chat.replies.append(reply)
    with pytest.raises(TemporaryFailure, match=str(reply or "did not take")):
        chat.sender.send(chat.address, MESSAGE)
    chat.sender.send(chat.address, MESSAGE)
    assert len(chat.arrived()) == 1


def test_an_address_that_is_none_is_refused_for_good(chat: Chat) -> None:
    with pytest.raises(PermanentFailure):
        chat.sender.send("somewhere", MESSAGE)


def test_a_service_that_is_down_is_temporary(service: Service) -> None:
    chat = RealChat(service)
    service.stop()
    with pytest.raises(TemporaryFailure):
        chat.sender.send(chat.address, MESSAGE)


@pytest.mark.parametrize("address", [f"nope://{SECRET}/x", f"slack://{SECRET}", f"msteams://{SECRET}/a/b/c", "://", ""])
def test_what_apprise_cannot_read_is_said_before_anything_is_sent(address: str) -> None:
    assert not is_usable(address)
    with pytest.raises(PermanentFailure):
        AppriseSender().send(address, MESSAGE)


def test_no_address_gets_into_a_log_or_an_error(service: Service, caplog: pytest.LogCaptureFixture) -> None:
    chat = RealChat(service)
    service.replies[:] = [500, None]
    errors = []
    with caplog.at_level(logging.INFO):
        for address in (chat.address, chat.address, "nope://verysecret/x", f"slack://{SECRET}"):
            with pytest.raises((TemporaryFailure, PermanentFailure)) as failure:
                chat.sender.send(address, MESSAGE)
            errors.append(str(failure.value))
    told = caplog.text + "".join(errors)
    assert SECRET not in told
    assert "verysecret" not in told  # which apprise takes for nothing that it should mask


NASTY = ChatMessage(
    "Pilot <!channel>", ("Open: @everyone, <https://evil.example|approve> [yes](https://evil.example)",), LINK
)


def slack(service: Service, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr("apprise.plugins.slack.NotifySlack.webhook_url", f"http://{service.host}/services")
    return f"https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/{SECRET}"


def test_slack_is_called_in_its_own_form_and_nobody_is_called(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    AppriseSender().send(slack(service, monkeypatch), NASTY)
    [posted] = service.posted
    [attachment] = posted["attachments"]
    text = attachment["title"] + attachment["text"]
    assert LINK in text
    for dangerous in ("<!", "@everyone", "<https", "](", "github"):
        assert dangerous not in json.dumps(posted, ensure_ascii=False)


def test_teams_is_called_in_its_own_form(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    def over_http(url: str, **sent: Any) -> Any:
        return post(url.replace("https://", "http://"), **sent)

    import requests

    post = requests.post
    monkeypatch.setattr("apprise.plugins.workflows.requests.post", over_http)
    AppriseSender().send(f"workflows://{service.host}/A1BRTD4JD/{SECRET}", NASTY)
    [posted] = service.posted
    [card] = posted["attachments"]
    assert card["contentType"] == "application/vnd.microsoft.card.adaptive"
    texts = [part["text"] for part in card["content"]["body"] if part["type"] == "TextBlock"]
    assert texts[0] == "Pilot ‹!channel›"
    assert texts[1].endswith(f"\n\n[Etappe]({LINK})")
    assert texts[1].count("](") == 1
