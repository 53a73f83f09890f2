"""Another system says pass or fail by a signed call: taken once, at an open gate, with the key its plan names."""

from __future__ import annotations

import base64
import json
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from httpx import Response
from sqlalchemy import select

from domain import signatures
from domain.checks import CheckAnswer, CheckVerdict
from domain.errors import CallTaken, EtappeError
from models.access import SignedCall
from models.database import Database
from operations.record_check import Call, Recorded, record_check
from tests.api_client import Api
from tests.company import KEYS, REQUESTER, Company
from tests.sample_plans import one_gate

CHECK = "kind: check, signed_with: ci"
OLD, NEW, OTHER = (f"whsec_{base64.b64encode(bytes([number]) * 32).decode()}" for number in (1, 2, 3))


@pytest.fixture
def company(db: Database) -> Company:
    """A company with people in it."""
    return Company(db)


@pytest.fixture
def api(company: Company, tmp_path: Path) -> Api:
    """Its API, which knows two keys of one system, and one of another."""
    return Api(company, tmp_path, ETAPPE_CHECK_KEYS=f"ci={OLD}, ci={NEW}, scanner={OTHER}")


class System:
    """Another system that calls, the way Standard Webhooks has it."""

    def __init__(self, api: Api, secret: str = NEW) -> None:
        self.api, self.key = api, signatures.key(secret)

    def says(
        self,
        verdict: str = "pass",
        message_id: str = "msg_1",
        *,
        body: bytes | None = None,
        gate: str = "gate",
        rollout: str = "",
        sent: timedelta = timedelta(),
        **headers: str,
    ) -> Response:
        """Call; `sent` is how long ago, and `headers` take the place of those that would be right."""
        content = json.dumps({"verdict": verdict, "message": "build 7"}).encode() if body is None else body
        timestamp = str(int((self.api.company.now - sent).timestamp()))
        right = {
            "webhook-id": message_id,
            "webhook-timestamp": timestamp,
            "webhook-signature": signatures.sign(self.key, message_id, timestamp, content),
        }
        given = {**right, **{name.replace("_", "-"): text for name, text in headers.items()}}
        path = f"/api/v1/checks/{rollout or self.api.company.rollout_id}/{gate}"
        answer: Response = self.api.client.post(path, content=content, headers=given)
        return answer


def refused(answer: Response, status: int, *words: str) -> None:
    """Check that an answer is a problem with a sentence that holds these words."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    told: dict[str, Any] = answer.json()
    assert answer.status_code == status, told
    for word in words:
        assert word in told["detail"], told


def test_a_pass_lets_the_gate_pass_and_is_in_the_record(company: Company, api: Api) -> None:
    company.start(one_gate(CHECK))
    assert company.gate()["waits"] == ["Waits for “ci” to say pass or fail."]
    answer = System(api).says()
    assert answer.status_code == 200
    assert answer.json() | {"recorded_at": ""} == {
        "rollout": company.rollout_id, "gate": "gate", "round": 1, "verdict": "pass", "message": "build 7",
        "recorded_at": "", "repeated": False,
    }  # fmt: skip
    assert company.state == "completed"
    [entry] = company.entries("check.recorded")
    assert (entry.actor, entry.channel, entry.assurance) == ("check:ci", "call", "signature")
    assert (entry.decision, entry.comment, entry.gate) == ("pass", "build 7", "gate")


@pytest.mark.parametrize(("on_reject", "state"), [("hold", "held"), ("kill", "killed"), ("{recycle: only}", "open")])
def test_a_fail_leads_to_what_the_plan_says(company: Company, api: Api, on_reject: str, state: str) -> None:
    company.start(one_gate(f"{CHECK}, on_reject: {on_reject}"))
    assert System(api).says("fail").status_code == 200
    assert company.state == state
    [entry] = company.entries("gate.rejected")
    assert entry.facts["because"] == "ci says fail: build 7"
    assert company.messages("outcome", REQUESTER)


def test_both_keys_of_a_rotation_count(company: Company, api: Api) -> None:
    for secret in (OLD, NEW):
        company.start(one_gate(CHECK))
        assert System(api, secret).says(message_id=f"msg_{secret[-8:-2]}").status_code == 200


class TestWhoCalls:
    """Without the right signature, nothing is said about rollouts and nothing changes."""

    def test_a_call_without_or_with_a_wrong_signature(self, company: Company, api: Api) -> None:
        company.start(one_gate(CHECK))
        system = System(api)
        for wrong in (
            system.says(webhook_signature=""),
            system.says(webhook_signature="v1,aGVsbG8="),
            system.says(webhook_id=""),
            system.says(webhook_id="msg_2"),
            system.says(webhook_timestamp=""),
            system.says(webhook_timestamp="1"),
        ):
            refused(wrong, 401, "not signed with a key that is known here")
        stranger = System(api, f"whsec_{base64.b64encode(b'x' * 32).decode()}")
        refused(stranger.says(), 401, "not signed")
        refused(stranger.says(rollout="nowhere"), 401, "not signed")
        assert company.gate()["state"] == "open"

    def test_a_body_that_was_changed_on_its_way(self, company: Company, api: Api) -> None:
        company.start(one_gate(CHECK))
        system = System(api)
        timestamp = str(int(company.now.timestamp()))
        signed = signatures.sign(system.key, "msg_1", timestamp, b'{"verdict": "fail"}')
        refused(system.says(webhook_signature=signed), 401, "not signed")

    @pytest.mark.parametrize(("sent", "status"), [(300, 200), (301, 401), (-300, 200), (-301, 401)])
    def test_a_call_counts_for_five_minutes(self, company: Company, api: Api, sent: int, status: int) -> None:
        company.start(one_gate(CHECK))
        answer = System(api).says(sent=timedelta(seconds=sent))
        assert answer.status_code == status, answer.text

    def test_the_key_of_another_system(self, company: Company, api: Api) -> None:
        company.start(one_gate(CHECK))
        refused(System(api, OTHER).says(), 403, "another key")
        assert company.gate()["state"] == "open"

    def test_a_token_is_no_signature_and_a_signature_no_token(self, company: Company, api: Api) -> None:
        company.start(one_gate(CHECK))
        answer = api.post(REQUESTER, f"/checks/{company.rollout_id}/gate", {"verdict": "pass"})
        refused(answer, 401, "not signed")

    def test_a_key_that_is_none_is_refused_when_the_pages_start(self, company: Company, tmp_path: Path) -> None:
        with pytest.raises(EtappeError, match="The key “ci” in ETAPPE_CHECK_KEYS is not base64"):
            Api(company, tmp_path, ETAPPE_CHECK_KEYS="ci=secret!")
        with pytest.raises(EtappeError, match="The key “ci” in ETAPPE_CHECK_KEYS is 0 bytes long"):
            Api(company, tmp_path, ETAPPE_CHECK_KEYS="ci")


class TestTakenOnce:
    def test_the_same_call_once_more_is_answered_and_changes_nothing(self, company: Company, api: Api) -> None:
        company.start(one_gate(f"{CHECK}, on_reject: {{recycle: only}}"))
        first = System(api).says("fail")
        sequence = company.entries()[-1].sequence
        company.later(minutes=2)
        again = System(api).says("fail")  # sent anew: the same id, a new moment
        assert (again.status_code, again.json()["repeated"]) == (200, True)
        assert again.json()["recorded_at"] == first.json()["recorded_at"]
        assert company.entries()[-1].sequence == sequence
        assert (company.gate()["round"], company.gate()["state"]) == (2, "open")

    def test_a_call_that_was_listened_to_cannot_be_played_again(self, company: Company, api: Api) -> None:
        company.start(one_gate(f"{CHECK}, on_reject: {{recycle: only}}"))
        system, sent = System(api), company.now
        system.says("fail")
        company.later(minutes=4)
        assert system.says("fail", sent=company.now - sent).json()["repeated"]
        company.later(minutes=4)
        refused(system.says("fail", sent=company.now - sent), 401, "five minutes")
        assert company.gate()["round"] == 2

    def test_the_same_id_with_something_else_is_refused(self, company: Company, api: Api) -> None:
        first = company.start(one_gate(f"{CHECK}, on_reject: {{recycle: only}}"))
        System(api).says("fail")
        refused(System(api).says("pass"), 409, "said something else")
        company.start(one_gate(CHECK))
        refused(System(api).says("fail"), 409, "said something else")
        assert company.gate()["state"] == "open"
        company.rollout_id = first
        assert company.gate()["state"] == "open"

    def test_a_refused_call_has_not_used_up_its_id(self, company: Company, api: Api) -> None:
        company.start(one_gate(f"{CHECK}, ask_after: [window]") + WINDOW)
        refused(System(api).says(), 409, "not this gate's turn yet")
        company.later(hours=3)
        company.checks()
        assert System(api).says().status_code == 200
        assert company.state == "completed"

    def test_two_at_once_are_one(self, company: Company, api: Api) -> None:
        company.start(one_gate(CHECK))
        answer = CheckAnswer(CheckVerdict.PASS, "")
        found: list[Recorded] = []

        def call() -> None:
            made = Call("ci", "msg_1")
            found.append(record_check(company.db, KEYS, company.rollout_id, "gate", answer, made, company.now))

        callers = [threading.Thread(target=call) for _ in range(5)]
        for each in callers:
            each.start()
        for each in callers:
            each.join(30)
        assert sorted(one.repeated for one in found) == [False, True, True, True, True]
        assert len(company.entries("check.recorded")) == 1

    def test_one_id_for_two_rollouts_at_once_counts_at_one(self, company: Company, api: Api) -> None:
        rollouts = [company.start(one_gate(CHECK)) for _ in range(2)]
        answer, refusals = CheckAnswer(CheckVerdict.PASS, ""), []

        def call(rollout_id: str) -> None:
            try:
                record_check(company.db, KEYS, rollout_id, "gate", answer, Call("ci", "msg_1"), company.now)
            except CallTaken as refusal:
                refusals.append(refusal)

        callers = [threading.Thread(target=call, args=(each,)) for each in rollouts]
        for each in callers:
            each.start()
        for each in callers:
            each.join(30)
        states = []
        for company.rollout_id in rollouts:
            states.append(company.state)
        assert (sorted(states), len(refusals)) == (["completed", "open"], 1)

    def test_old_ids_are_forgotten_after_a_day(self, company: Company, api: Api) -> None:
        for hours, message_id in ((0, "msg_1"), (23, "msg_2"), (2, "msg_3")):
            company.later(hours=hours)
            company.start(one_gate(CHECK))
            System(api).says(message_id=message_id)
        with company.db.read() as session:
            assert sorted(call.message_id for call in session.scalars(select(SignedCall))) == ["msg_2", "msg_3"]


WINDOW = "      - {id: window, title: Window, kind: window, hours: '12:00-18:00'}\n"


class TestWhatIsSaid:
    @pytest.mark.parametrize(
        ("body", "status", "words"),
        [
            (b"", 422, "A JSON object is expected"),
            (b"pass", 422, "A JSON object is expected"),
            (b'["pass"]', 422, "A JSON object is expected"),
            (b'{"verdict": "pass"', 422, "A JSON object is expected"),
            (b"{}", 422, "one of these words: pass, fail"),
            (b'{"verdict": "wait"}', 422, "one of these words: pass, fail"),
            (b'{"verdict": "PASS"}', 422, "one of these words"),
            (b'{"verdict": ["pass"]}', 422, "one of these words"),
            (b'{"verdict": "pass", "message": {}}', 422, "must be a text"),
            (b'{"verdict": "pass", "message": "\\u0000"}', 422, "control character"),
            (b'{"verdict": "pass", "message": "' + b"x" * 70_000 + b'"}', 413, "64 KB"),
            (b"[" * 60_000, 422, "A JSON object is expected"),
        ],
    )
    def test_anything_else_is_refused_in_a_sentence_and_changes_nothing(
        self, company: Company, api: Api, body: bytes, status: int, words: str
    ) -> None:
        company.start(one_gate(CHECK))
        before = company.entries()[-1].sequence
        refused(System(api).says(body=body), status, words)
        assert (company.gate()["state"], company.entries()[-1].sequence) == ("open", before)
        assert System(api).says().status_code == 200

    def test_a_message_may_be_left_out_and_other_keys_are_passed_over(self, company: Company, api: Api) -> None:
        company.start(one_gate(CHECK))
        assert System(api).says(body=b'{"verdict": "pass", "url": "https://ci.example.com"}').status_code == 200
        assert company.entries("gate.passed")[0].facts["because"] == "ci says pass"

    def test_of_a_long_message_the_beginning_is_kept_in_one_line(self, company: Company, api: Api) -> None:
        company.start(one_gate(CHECK))
        body = json.dumps({"verdict": "fail", "message": "line\nline " + "x" * 2000}).encode()
        assert System(api).says(body=body).status_code == 200
        [entry] = company.entries("check.recorded")
        assert entry.comment.startswith("line line xxx")
        assert len(entry.comment) <= 1000

    def test_no_such_rollout_gate_or_check(self, company: Company, api: Api) -> None:
        company.start(one_gate("kind: sign-off, question: Shall we, approvers: [board]"))
        refused(System(api).says(), 404, "no check called “gate”")
        refused(System(api).says(gate="other"), 404, "no check called “other”")
        refused(System(api).says(rollout="nowhere"), 404, "no rollout “nowhere”")

    def test_at_a_settled_gate_it_is_too_late(self, company: Company, api: Api) -> None:
        company.start(one_gate(CHECK))
        System(api).says("fail")
        refused(System(api).says("pass", "msg_2"), 409, "settled already: rejected")
        company.resumes()
        assert System(api).says("pass", "msg_2").status_code == 200
        refused(System(api).says("fail", "msg_3"), 409, "The rollout is completed")
        assert company.state == "completed"

    def test_the_sentence_is_in_the_callers_language(self, company: Company, api: Api) -> None:
        company.start(one_gate(CHECK))
        refused(System(api).says(webhook_id="msg_2", accept_language="de"), 401, "unterschrieben")


def test_nobody_is_mailed_before_the_other_system_has_said_pass(company: Company, api: Api) -> None:
    people = "id: people, title: P, kind: sign-off, question: Shall we, approvers: [board], ask_after: [gate]"
    company.start(f"{one_gate(CHECK)}      - {{{people}}}\n")
    assert company.messages("request") == []
    assert company.gate("people")["waits"] == ["Is asked after: The gate."]
    System(api).says()
    assert len(company.messages("request")) == 3


def test_and_nobody_at_all_when_it_says_fail(company: Company, api: Api) -> None:
    people = "id: people, title: P, kind: sign-off, question: Shall we, approvers: [board], ask_after: [gate]"
    company.start(f"{one_gate(CHECK)}      - {{{people}}}\n")
    System(api).says("fail")
    assert (company.state, company.messages("request")) == ("held", [])
