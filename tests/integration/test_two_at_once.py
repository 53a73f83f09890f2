"""Two at once: whoever comes second finds what the first has done. Racers start together, behind a barrier."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from threading import Barrier, Thread

import pytest
from sqlalchemy import func, select, text

from domain.errors import EtappeError, GateSettled
from models.database import Database
from models.outbox import Message
from models.requests import Decision, RequestState
from models.rollouts import PlanVersion
from operations.cancel_rollout import cancel_rollout
from operations.check_stalled import check_stalled
from operations.claim_messages import claim_messages, claim_punctual
from operations.record_decision import DecisionForm, record_decision, record_decision_as
from operations.start_rollout import Start, start_rollout
from operations.workspace import Actor, locked
from plans.reading import read_plan
from tests.company import KEYS, PEOPLE, REQUESTER, Company
from tests.sample_plans import SIGN_OFF, one_gate

ANNA, BEN, CARLA = "anna@example.com", "ben@example.com", "carla@example.com"
DORA = "dora@example.com"
RACERS = 12


def race(runners: Sequence[Callable[[], object]]) -> list[object]:
    """Run all at once and return what each returned, or the refusal it met; anything else is raised."""
    barrier = Barrier(len(runners))
    came_back: list[object] = [None] * len(runners)

    def run(place: int) -> None:
        barrier.wait()
        try:
            came_back[place] = runners[place]()
        except Exception as error:  # noqa: BLE001 - looked at below, in the thread that asserts
            came_back[place] = error

    threads = [Thread(target=run, args=(place,)) for place in range(len(runners))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for unexpected in came_back:
        if isinstance(unexpected, Exception) and not isinstance(unexpected, EtappeError):
            raise unexpected
    return came_back


def deciding(company: Company, person: str, decision: str = "approve") -> Callable[[], object]:
    request = company.asked(person)
    comment = "" if decision == "approve" else "because"
    form = DecisionForm(decision, company.code(request), company.page(request).digest, comment)
    return lambda: record_decision(company.db, KEYS, company.token(request), form, company.now)


def decisions_in(db: Database) -> int:
    with db.read() as session:
        return session.scalar(select(func.count(Decision.id))) or 0


def test_one_person_deciding_many_times_at_once_decides_once(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(f"{SIGN_OFF}, quorum: all"))
    pages = race([deciding(company, ANNA)] * RACERS)
    assert not [page for page in pages if isinstance(page, Exception)]
    assert (decisions_in(db), len(company.messages("receipt", ANNA))) == (1, 1)


def test_one_person_saying_yes_and_no_at_once_is_recorded_with_one_of_them(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(f"{SIGN_OFF}, quorum: majority"))
    came_back = race([deciding(company, ANNA), deciding(company, ANNA, "reject")] * (RACERS // 2))
    assert decisions_in(db) == 1
    assert sum(isinstance(page, GateSettled) for page in came_back) == RACERS // 2


def test_the_last_two_approvers_at_once_pass_the_gate_once(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(f"{SIGN_OFF}, quorum: all"))
    company.decides(ANNA)
    race([deciding(company, BEN), deciding(company, CARLA)])
    assert (company.state, decisions_in(db)) == ("completed", 3)
    assert Counter(company.actions())["gate.passed"] == Counter(company.actions())["rollout.completed"] == 1


def test_of_many_who_could_give_the_only_voice_one_does_and_the_others_hear_that_it_is_settled(db: Database) -> None:
    company = Company(db)
    more = [f"person{number}@example.com" for number in range(RACERS)]
    company.start(one_gate(f"{SIGN_OFF}, quorum: any"), people={"board": more})
    came_back = race([deciding(company, person) for person in more])
    assert (company.state, decisions_in(db)) == ("completed", 1)
    assert sum(isinstance(page, GateSettled) for page in came_back) == RACERS - 1


def test_a_decision_against_the_expiry_ends_in_one_of_the_two(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(f"{SIGN_OFF}, quorum: any, expires: {{after: 2 days}}"))
    company.later(days=2)
    company.checks()  # time is up beyond doubt once a second run says so
    decided, *_ = race([deciding(company, ANNA), lambda: check_stalled(db, KEYS, company.now)])
    expired = isinstance(decided, GateSettled)
    assert (company.gate()["state"], company.state) == (("expired", "held") if expired else ("passed", "completed"))
    assert decisions_in(db) == (0 if expired else 1)
    assert len(company.messages("outcome", REQUESTER)) == 1


def test_a_decision_against_calling_off_ends_in_one_of_the_two(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(f"{SIGN_OFF}, quorum: any"))
    actor = Actor(REQUESTER, "command")
    race([deciding(company, ANNA), lambda: cancel_rollout(db, KEYS, company.rollout_id, "no", actor, company.now)])
    assert (company.state, company.gate()["state"], decisions_in(db)) in (
        ("completed", "passed", 1),
        ("cancelled", "withdrawn", 0),
    )


def test_many_checks_at_once_remind_escalate_and_report_once(db: Database) -> None:
    company = Company(db)
    plan = one_gate(f"{SIGN_OFF}, quorum: all, remind: every 2 days, escalate: [{{after: 2 days, to: finance}}]")
    company.start(plan.replace("    gates:", "    stalled_after: 2 days\n    gates:"))
    company.later(days=2)
    race([lambda: check_stalled(db, KEYS, company.now)] * 8)
    assert sorted(message.recipient for message in company.messages("reminder")) == [ANNA, BEN, CARLA]
    assert [message.recipient for message in company.messages("escalation")] == [DORA]
    assert company.headlines(REQUESTER).count("“Only stage” has stalled") == 1
    assert [company.actions().count(f"gate.{done}") for done in ("reminded", "escalated")] == [1, 1]


def test_many_checks_at_once_expire_once(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(f"{SIGN_OFF}, expires: {{after: 2 days}}"))
    company.later(days=2)
    company.checks()  # time is up beyond doubt once a second run says so
    race([lambda: check_stalled(db, KEYS, company.now)] * 8)
    assert (company.gate()["state"], company.actions().count("gate.expired")) == ("expired", 1)


def starting(company: Company, flow_run_id: str, plan: str = one_gate(SIGN_OFF)) -> Callable[[], object]:
    start = Start(read_plan(plan, "plan.yaml"), plan, "A rollout", REQUESTER, flow_run_id=flow_run_id)
    return lambda: start_rollout(company.db, KEYS, start, company.now)


def test_one_flow_run_started_many_times_at_once_starts_one_rollout(db: Database) -> None:
    company = Company(db)
    came_back = race([starting(company, "the same")] * RACERS)
    assert len(set(came_back)) == 1
    company.rollout_id = str(came_back[0])
    assert company.actions().count("rollout.started") == 1


def test_many_flow_runs_of_a_new_plan_at_once_start_as_many_rollouts_of_one_version(db: Database) -> None:
    company = Company(db)
    came_back = race([starting(company, f"run {number}") for number in range(RACERS)])
    assert len({str(rollout_id) for rollout_id in came_back}) == RACERS
    versions = set()
    for rollout_id in came_back:
        company.rollout_id = str(rollout_id)
        versions.add(company.rollout()["version"])
    assert versions == {1}


def test_two_versions_of_a_plan_started_at_once_get_two_numbers(db: Database) -> None:
    company = Company(db)
    plans = [one_gate(f"{SIGN_OFF}, quorum: {number}") for number in (1, 2, 3)]
    came_back = race([starting(company, f"run {number}", plan) for number, plan in enumerate(plans * 3)])
    versions = []
    for rollout_id in came_back:
        company.rollout_id = str(rollout_id)
        versions.append(company.rollout()["version"])
    assert sorted(Counter(versions).items()) == [(1, 3), (2, 3), (3, 3)]


@pytest.mark.parametrize("claim", [claim_messages, claim_punctual])
def test_two_relays_never_claim_the_same_message(
    db: Database, claim: Callable[[Database, datetime, int], list[Message]]
) -> None:
    company = Company(db, directory=PEOPLE)
    for _ in range(10):
        company.start(one_gate(SIGN_OFF))
    claims = race([lambda: claim(db, company.now, 7)] * 8)
    claimed = [message.id for claim in claims if isinstance(claim, list) for message in claim]
    with db.read() as session:
        stored = session.scalar(select(func.count(Message.id)))
    assert len(claimed) == len(set(claimed))
    while more := claim_messages(db, company.now):
        claimed += [message.id for message in more]
    assert len(claimed) == len(set(claimed)) == stored


@pytest.mark.parametrize("door", ["link", "name"])
def test_whoever_decides_while_the_rollout_goes_over_to_a_newer_plan_is_heard(db: Database, door: str) -> None:
    company = Company(db)
    company.start(one_gate(f"{SIGN_OFF}, quorum: any"))
    form = DecisionForm("approve", company.code(company.asked(ANNA)), company.page(company.asked(ANNA)).digest)
    came_back: list[object] = []

    def decide() -> None:
        try:
            if door == "link":
                page = record_decision(db, KEYS, company.token(company.asked(ANNA)), form, company.now)
            else:
                page = record_decision_as(db, KEYS, company.rollout_id, "gate", form, Actor(ANNA, "api"), company.now)
            came_back.append(page.state)
        except EtappeError as refusal:
            came_back.append(refusal)

    deciding = Thread(target=decide)
    with locked(db, KEYS, company.rollout_id, company.now) as ws:
        before = ws.rollout.plan_version
        newer = PlanVersion(name=before.name, version=2, digest="0" * 64, document=before.document,
                            source=before.source, created_at=company.now)  # fmt: skip
        ws.session.add(newer)
        ws.session.flush()
        ws.rollout.plan_version = newer
        ws.session.flush()
        deciding.start()
        waits_for_the_lock(db)
    deciding.join()
    assert came_back == [RequestState.DONE]


def waits_for_the_lock(db: Database) -> None:
    """On SQLite whoever writes waits before they look at anything."""
    until = time.monotonic() + 30
    while not db.is_sqlite:
        with db.read() as session:
            waiting = session.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted"))
        if waiting:
            return
        assert time.monotonic() < until, "nobody waits"
        time.sleep(0.02)
