"""Etappe asks an https address that a plan names: a real server with a certificate of its own, good and bad answers."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from models.database import Database
from operations.installation import Installation
from settings import Settings
from tests.company import KEYS, REQUESTER, Company
from tests.https_server import NAME, PUBLIC, Answer, HttpsServer, connected_to, here, running, says
from tests.sample_plans import one_gate
from worker.asker import Asker
from worker.asking import LARGEST_ANSWER, Network, NotAnswered, ask

PASS = '{"verdict": "pass", "message": "build 7"}'
FAIL, WAIT = PASS.replace("pass", "fail"), PASS.replace("pass", "wait")


def why_not(server: HttpsServer, seconds: float = 5, url: str = f"https://{NAME}/status") -> str:
    """Why there is no answer."""
    with pytest.raises(NotAnswered) as failure:
        ask(url, seconds, network=here(server.port))
    return str(failure.value)


class TestAsking:
    def test_an_answer_is_brought_as_it_is(self, server: HttpsServer) -> None:
        server.answers = [says(PASS)]
        answer = ask(f"https://{NAME}/status?of=main", 5, headers={"X-Etappe-Gate": "ci"}, network=here(server.port))
        assert answer.decode() == PASS
        [seen] = server.seen
        assert (seen["path"], seen["host"], seen["x-etappe-gate"]) == ("/status?of=main", NAME, "ci")
        assert "accept-encoding" not in seen or seen["accept-encoding"] == "identity"

    @pytest.mark.parametrize("status", [201, 204, 400, 401, 404, 500, 503])
    def test_anything_but_200_is_no_answer(self, server: HttpsServer, status: int) -> None:
        server.answers = [says(PASS, status)]
        assert f"status {status}" in why_not(server)

    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    def test_redirects_are_not_followed(self, server: HttpsServer, status: int) -> None:
        server.answers = [says("", status, Location="https://127.0.0.1/"), says(PASS)]
        assert "redirects are not followed" in why_not(server)
        assert len(server.seen) == 1

    def test_a_slow_answer_is_no_answer(self, server: HttpsServer) -> None:
        done = threading.Event()
        server.answers = [lambda request: (done.wait(5), None)[1]]
        began = time.monotonic()
        assert why_not(server, seconds=0.4) == "it took longer than 0.4 seconds"
        assert time.monotonic() - began < 3
        done.set()

    @pytest.mark.parametrize("part", ["headers", "body"])
    def test_nor_is_one_that_comes_drop_by_drop(self, server: HttpsServer, part: str) -> None:
        """Each byte comes in time, and all of them together do not."""
        server.answers = [dripping(part)]
        began = time.monotonic()
        assert why_not(server, seconds=0.5) == "it took longer than 0.5 seconds"
        assert time.monotonic() - began < 3

    def test_a_line_that_says_nothing_is_no_answer(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as mute, pytest.raises(NotAnswered, match="longer than"):
            ask(f"https://{NAME}/", 0.3, network=here(mute.getsockname()[1]))

    def test_at_most_64_kb_are_read(self, server: HttpsServer) -> None:
        server.answers = [says("x" * LARGEST_ANSWER)]
        assert len(ask(f"https://{NAME}/", 5, network=here(server.port))) == LARGEST_ANSWER
        server.answers = [says("x" * (LARGEST_ANSWER + 1))]
        assert why_not(server) == "its answer is larger than 64 KB"

    def test_an_endless_answer_is_cut(self, server: HttpsServer) -> None:
        server.answers = [endless]
        assert why_not(server) == "its answer is larger than 64 KB"

    def test_what_is_no_http_is_no_answer(self, server: HttpsServer) -> None:
        server.answers = [lambda request: (request.wfile.write(b"hello\r\n\r\n"), None)[1]]
        assert "broken" in why_not(server)

    def test_a_server_that_is_down_is_no_answer(self, server: HttpsServer) -> None:
        server.stop()
        assert why_not(server) == "it refuses the connection"

    def test_a_certificate_that_nobody_trusts_is_no_answer(
        self, server: HttpsServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("SSL_CERT_FILE")
        assert "its certificate is not good" in why_not(server)
        assert server.seen == []

    def test_nor_is_a_certificate_for_another_name(self, server: HttpsServer) -> None:
        assert "its certificate is not good" in why_not(server, url="https://other.example.com/")
        assert server.seen == []

    def test_without_tls_nothing_is_asked(self, server: HttpsServer) -> None:
        with socket.create_server(("127.0.0.1", 0)) as plain:

            def answers() -> None:
                with plain.accept()[0] as line:
                    line.sendall(b"HTTP/1.1 200 OK\r\n\r\n")

            answering = threading.Thread(target=answers)
            answering.start()
            with pytest.raises(NotAnswered):
                ask(f"https://{NAME}/", 2, network=here(plain.getsockname()[1]))
            answering.join(5)


def dripping(part: str) -> Answer:
    """An answer of which a byte comes every tenth of a second, for ever."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(b"HTTP/1.1 200 OK\r\n" + (b"X: " if part == "headers" else b"\r\n"))
        for _ in range(100):
            request.wfile.write(b"x")
            threading.Event().wait(0.1)

    return answer


def endless(request: BaseHTTPRequestHandler) -> None:
    """An answer that does not end."""
    request.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
    for _ in range(1000):
        request.wfile.write(b"x" * 10_000)


class TestWhereTo:
    """No address that is near is asked, whatever its name says, and whenever it says it."""

    @pytest.mark.parametrize(
        "addresses",
        [["127.0.0.1"], ["10.0.0.1"], ["::1"], ["169.254.169.254"], ["::ffff:127.0.0.1"], [PUBLIC, "10.0.0.1"]],
    )
    def test_one_near_address_is_enough_to_refuse(self, server: HttpsServer, addresses: list[str]) -> None:
        with pytest.raises(NotAnswered, match=r"not on the open internet.*ETAPPE_CHECK_HOSTS"):
            ask(f"https://{NAME}/", 5, network=here(server.port, addresses))
        assert server.seen == []

    @pytest.mark.parametrize("url", ["https://127.0.0.1", "https://[::1]", "https://localhost", "https://0x7f.1"])
    def test_so_is_one_that_stands_in_the_plan(self, server: HttpsServer, url: str) -> None:
        """Names and numbers as the system itself reads them."""
        with pytest.raises(NotAnswered, match=r"not on the open internet|name is not known"):
            ask(f"{url}:{server.port}/", 5)
        assert server.seen == []

    def test_the_operator_may_allow_a_host_by_name(self, server: HttpsServer) -> None:
        network = here(server.port, ["127.0.0.1"])
        assert ask(f"https://{NAME}/", 5, {NAME}, network=network)
        with pytest.raises(NotAnswered, match="not on the open internet"):
            ask(f"https://{NAME}/", 5, {"other.example.com"}, network=network)

    def test_a_name_is_looked_up_once_and_the_connection_goes_where_it_was_checked(self, server: HttpsServer) -> None:
        """DNS rebinding: a name that is public when it is checked, and private when it is connected to."""
        answers = [[PUBLIC], ["127.0.0.1"], ["127.0.0.1"]]
        connected: list[str] = []

        def connect(address: str, port: int, seconds: float) -> socket.socket:
            connected.append(address)
            return connected_to(server.port, seconds)

        ask(f"https://{NAME}:{server.port}/", 5, network=Network(lambda host, port: answers.pop(0), connect))
        assert (connected, len(answers)) == ([PUBLIC], 2)

    def test_the_next_address_is_tried_when_one_does_not_answer(self, server: HttpsServer) -> None:
        def connect(address: str, port: int, seconds: float) -> socket.socket:
            if address == "1.1.1.1":
                raise ConnectionRefusedError
            return connected_to(server.port, seconds)

        assert ask(f"https://{NAME}/", 5, network=Network(lambda host, port: ["1.1.1.1", PUBLIC], connect))


CHECK = f"kind: check, asks: 'https://{NAME}/status', every: every 5 minutes, tries: 3"


@pytest.fixture
def company(db: Database) -> Company:
    """A company with people in it."""
    return Company(db)


@pytest.fixture
def asker(company: Company, server: HttpsServer, tmp_path: Path) -> Iterator[Asker]:
    """Whoever looks after the gates of that company."""
    with asker_of(company, tmp_path, here(server.port)) as asker:
        yield asker


@contextmanager
def asker_of(company: Company, home: Path, network: Network, **given: str) -> Iterator[Asker]:
    """Give whoever looks after the gates of a company, with settings of its own."""
    always = {"ETAPPE_HOME": str(home), "ETAPPE_DATABASE_URL": company.db.url, "ETAPPE_SECRET_KEYS": KEYS[0].decode()}
    installation = Installation(Settings.from_environment({**always, **given}))
    yield Asker(installation, lambda: company.now, network)
    installation.db.close()


class TestChecks:
    def test_a_pass_lets_the_gate_pass(self, company: Company, asker: Asker, server: HttpsServer) -> None:
        server.answers = [says(PASS)]
        company.start(one_gate(CHECK))
        assert (company.gate()["state"], company.gate()["waiting_for"]) == ("open", [])
        assert asker.look() == 1
        assert company.state == "completed"
        [entry] = company.entries("check.recorded")
        assert (entry.actor, entry.channel, entry.decision, entry.comment) == (
            f"check:{NAME}", "asked", "pass", "build 7",
        )  # fmt: skip
        assert (server.seen[0]["x-etappe-rollout"], server.seen[0]["x-etappe-gate"]) == (company.rollout_id, "gate")
        assert asker.look() == 0

    def test_a_fail_holds_and_says_who_said_it(self, company: Company, asker: Asker, server: HttpsServer) -> None:
        server.answers = [says(FAIL)]
        company.start(one_gate(CHECK))
        asker.look()
        assert company.state == "held"
        [entry] = company.entries("gate.rejected")
        assert entry.facts["because"] == f"{NAME} says fail: build 7"
        assert company.messages("outcome", REQUESTER)

    def test_wait_is_no_failure_however_often(self, company: Company, asker: Asker, server: HttpsServer) -> None:
        server.answers = [says(WAIT)]
        company.start(one_gate(CHECK))
        for _ in range(5):
            assert asker.look() == 1
            assert asker.look() == 0
            company.later(minutes=5)
        assert company.gate()["waits"] == [
            f"{NAME} is asked on Monday, 2 March 2026, 10:25.", f"{NAME} says wait: build 7",
        ]  # fmt: skip
        server.answers = [says(PASS)]
        asker.look()
        assert company.state == "completed"
        assert company.entries("check.unanswered") == []

    @pytest.mark.parametrize(
        ("answer", "words"),
        [
            (says(PASS, 500), "status 500"),
            (says("pass"), "A JSON object is expected"),
            (says('["pass"]'), "A JSON object is expected"),
            (says('{"verdict": "ok"}'), "must be one of these words: pass, fail, wait"),
            (says('{"verdict": true}'), "must be one of these words"),
            (says('{"verdict": "pass", "message": 7}'), "must be a text"),
        ],
    )
    def test_what_is_no_answer_is_asked_again_and_is_a_fail_in_the_end(
        self, company: Company, asker: Asker, server: HttpsServer, answer: Answer, words: str
    ) -> None:
        server.answers = [answer]
        company.start(one_gate(CHECK))
        for _ in range(2):
            asker.look()
            assert company.gate()["state"] == "open"
            assert words in company.gate()["waits"][1]
            company.later(minutes=5)
        asker.look()
        assert company.state == "held"
        [entry] = company.entries("check.recorded")
        assert "did not answer 3 times in a row" in entry.comment
        assert words in entry.comment
        assert len(company.entries("check.unanswered")) == 1

    def test_only_failures_in_a_row_count(self, company: Company, asker: Asker, server: HttpsServer) -> None:
        server.answers = [says("", 500), says("", 500), says(WAIT), says("", 500), says("", 500), says(PASS)]
        company.start(one_gate(CHECK))
        for _ in range(5):
            asker.look()
            assert company.gate()["state"] == "open"
            company.later(minutes=5)
        asker.look()
        assert company.state == "completed"

    def test_a_server_that_comes_up_again_is_asked_again(
        self, company: Company, asker: Asker, server: HttpsServer, pem: Path
    ) -> None:
        company.start(one_gate(CHECK))
        server.stop()
        asker.look()
        assert "it refuses the connection" in company.gate()["waits"][1]
        company.later(minutes=5)
        with running(pem, server.port):
            asker.look()
        assert company.state == "completed"

    def test_a_private_address_is_not_asked_unless_the_operator_allows_it(
        self, company: Company, server: HttpsServer, tmp_path: Path
    ) -> None:
        network = here(server.port, ["127.0.0.1"])
        company.start(one_gate(CHECK))
        with asker_of(company, tmp_path, network) as asker:
            asker.look()
        assert "not on the open internet" in company.gate()["waits"][1]
        assert server.seen == []
        company.later(minutes=5)
        with asker_of(company, tmp_path, network, ETAPPE_CHECK_HOSTS=f"other, {NAME.upper()}") as asker:
            asker.look()
        assert company.state == "completed"

    def test_two_that_look_at_once_record_one_answer(self, company: Company, asker: Asker, server: HttpsServer) -> None:
        both = threading.Barrier(2)
        server.answers = [lambda request: (both.wait(5), says(WAIT)(request))[1]]
        company.start(one_gate(CHECK))
        before = company.entries()[-1].sequence
        looking = [threading.Thread(target=asker.look) for _ in range(2)]
        for each in looking:
            each.start()
        for each in looking:
            each.join(20)
        assert (len(server.seen), company.entries()[-1].sequence) == (2, before)
        assert company.gate()["waits"][0].endswith("10:05.")

    def test_an_answer_that_comes_after_the_rollout_was_called_off_changes_nothing(
        self, company: Company, asker: Asker, server: HttpsServer
    ) -> None:
        def late(request: BaseHTTPRequestHandler) -> None:
            company.cancels()
            says(PASS)(request)

        server.answers = [late]
        company.start(one_gate(CHECK))
        asker.look()
        assert company.state == "cancelled"
        assert company.entries("check.recorded") == []

    def test_one_that_sends_the_rollout_back_does_not_go_round_faster_than_it_asks(
        self, company: Company, asker: Asker, server: HttpsServer
    ) -> None:
        server.answers = [says(FAIL)]
        company.start(one_gate(f"{CHECK}, on_reject: {{recycle: only}}"))
        assert (asker.look(), asker.look()) == (1, 0)
        assert company.gate()["round"] == 2
        company.later(minutes=5)
        assert asker.look() == 1

    def test_whether_etappe_asks_or_is_called_follows_the_plan(
        self, company: Company, asker: Asker, server: HttpsServer
    ) -> None:
        server.answers = [says(WAIT)]
        called = one_gate("kind: check, signed_with: ci")
        company.start(called)
        assert asker.look() == 0
        company.migrates(one_gate(CHECK))
        assert asker.look() == 1
        company.migrates(called)
        company.later(hours=1)
        assert (asker.look(), len(server.seen)) == (0, 1)
        assert company.gate()["waits"] == ["Waits for “ci” to say pass or fail."]

    def test_after_resuming_later_it_is_asked_at_once(
        self, company: Company, asker: Asker, server: HttpsServer
    ) -> None:
        server.answers = [says(FAIL), says(PASS)]
        company.start(one_gate(CHECK))
        asker.look()
        company.later(hours=1)
        company.resumes()
        asker.look()
        assert company.state == "completed"

    def test_nobody_is_mailed_before_it_has_passed(self, company: Company, asker: Asker, server: HttpsServer) -> None:
        people = "id: people, title: P, kind: sign-off, question: Shall we, approvers: [board], ask_after: [gate]"
        server.answers = [says(WAIT), says(PASS)]
        company.start(f"{one_gate(CHECK)}      - {{{people}}}\n")
        asker.look()
        assert company.messages("request") == []
        company.later(minutes=5)
        asker.look()
        assert len(company.messages("request")) == 3

    def test_it_opens_windows_too(self, company: Company, asker: Asker) -> None:
        company.start(one_gate('kind: window, hours: "12:00-13:00"'))
        assert asker.look() == 0
        company.now += timedelta(hours=2)
        assert asker.look() == 1
        assert company.state == "completed"


def test_one_gate_that_cannot_be_looked_at_does_not_keep_the_others_waiting(
    company: Company, asker: Asker, server: HttpsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = company.start(one_gate(CHECK))
    second = company.start(one_gate(CHECK))
    looked = asker._asked

    def broken(look: object, check: object) -> object:
        if getattr(look, "rollout_id", "") == first:
            raise RuntimeError("out of memory")
        return looked(look, check)  # type: ignore[arg-type]

    monkeypatch.setattr(asker, "_asked", broken)
    asker.look()
    company.rollout_id = second
    assert company.state == "completed"
