"""Gates of the kind that ask another system: what its answers do to them, and when it is asked again."""

from __future__ import annotations

import threading
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
from tests.https_server import NAME, Answer, HttpsServer, here, running, says
from tests.sample_plans import one_gate
from worker.asker import Asker
from worker.asking import Network

CHECK = f"kind: check, asks: 'https://{NAME}/status', every: every 5 minutes, tries: 3"
PASS = '{"verdict": "pass", "message": "build 7"}'
FAIL, WAIT = PASS.replace("pass", "fail"), PASS.replace("pass", "wait")


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
