"""The scheduled check: what is told again, who is asked as well, what expires; each once, however often it runs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from models.database import Database
from operations import check_stalled as checking
from operations.attend_gate import attend_gates
from operations.check_stalled import CheckReport
from tests.company import MONDAY, REQUESTER, Company
from tests.sample_plans import ROLES, SIGN_OFF, one_gate

ANNA, BEN, CARLA = "anna@example.com", "ben@example.com", "carla@example.com"
DORA, EMIL = "dora@example.com", "emil@example.com"
REMINDED = f"{SIGN_OFF}, quorum: all, remind: every 2 business days"


def test_a_reminder_comes_after_business_days_and_holidays_are_none(db: Database) -> None:
    company = Company(db, now=datetime(2026, 4, 2, 9, tzinfo=UTC))  # the Thursday before Easter
    company.start(one_gate(REMINDED))
    company.now = datetime(2026, 4, 8, 8, 59, tzinfo=UTC)
    assert company.checks().reminded == 0
    company.now = datetime(2026, 4, 8, 9, 0, tzinfo=UTC)
    assert company.checks().reminded == 1
    assert sorted(message.recipient for message in company.messages("reminder")) == [ANNA, BEN, CARLA]


def test_a_reminder_comes_again_at_every_due_date(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(REMINDED))
    for day, expected in ((2, 1), (4, 2), (8, 3)):
        company.now = MONDAY + timedelta(days=day)
        company.checks()
        company.checks()
        assert len(company.messages("reminder", ANNA)) == expected


def test_after_a_long_gap_one_reminder_comes_and_not_all_that_were_missed(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(REMINDED))
    company.later(days=100)
    company.checks()
    company.later(minutes=15)
    company.checks()
    assert len(company.messages("reminder", ANNA)) == 1


def test_nobody_is_reminded_who_has_decided(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(REMINDED))
    company.decides(ANNA)
    company.later(days=2)
    company.checks()
    assert sorted(message.recipient for message in company.messages("reminder")) == [BEN, CARLA]


def test_nobody_is_reminded_in_the_moment_they_are_first_asked(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(f"{REMINDED}, escalate: [{{after: 2 business days, to: chair}}]"))
    company.later(days=2)
    report = company.checks()
    assert (report.reminded, report.escalated) == (1, 1)
    assert company.messages("reminder", EMIL) == []
    assert len(company.messages("escalation", EMIL)) == 1


def test_a_settled_gate_reminds_and_escalates_nobody(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(f"{REMINDED}, escalate: [{{after: 2 days, to: chair}}], expires: {{after: 3 days}}"))
    company.decides(ANNA, "reject")
    company.later(days=30)
    company.checks_on_schedule()
    assert (company.messages("reminder"), company.messages("escalation")) == ([], [])
    assert company.gate()["state"] == "rejected"


ESCALATED = (
    f"{SIGN_OFF}, quorum: all, escalate: [{{after: 2 days, to: chair}}, {{after: 4 days, to: finance, replace: true}}]"
)


def test_an_escalation_asks_others_as_well_and_their_voice_can_fill_in(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(ESCALATED))
    company.decides(ANNA)
    company.decides(BEN)
    company.later(days=2)
    company.checks()
    assert company.gate()["waiting_for"] == [CARLA, EMIL]
    assert company.headlines(REQUESTER)[-1] == "“The gate” was escalated"
    company.decides(EMIL)
    assert company.state == "completed"


def test_each_level_of_escalation_happens_once(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(ESCALATED))
    for _ in range(8):
        company.later(days=1)
        company.checks()
        company.checks()
    assert [message.recipient for message in company.messages("escalation")] == [EMIL, DORA]
    assert company.gate()["waiting_for"] == [DORA]
    company.decides(DORA)
    assert company.state == "completed"


def test_after_a_gap_both_levels_are_caught_up_with(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(ESCALATED))
    company.later(days=50)
    assert company.checks().escalated == 2
    assert company.gate()["waiting_for"] == [DORA]


def test_an_escalation_to_a_role_that_was_emptied_changes_nothing_and_the_owner_hears_it(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(f"{SIGN_OFF}, escalate: [{{after: 2 days, to: chair, replace: true}}]"))
    company.import_people(company.directory.replace("chair: [emil@example.com]", "chair: []"))
    company.later(days=2)
    company.checks()
    assert company.gate()["waiting_for"] == [ANNA, BEN, CARLA]
    assert company.headlines(REQUESTER)[-1] == "“The gate” was escalated"


def test_an_escalation_never_asks_the_requester_to_decide_their_own(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(f"{SIGN_OFF}, escalate: [{{after: 2 days, to: staff}}]"), requester=EMIL)
    company.later(days=2)
    company.checks()
    assert company.requests(EMIL) == []
    assert DORA in company.gate()["waiting_for"]


def test_when_too_few_have_read_the_escalation_names_them_and_asks_for_no_decision(db: Database) -> None:
    company = Company(db)
    gate = (
        'kind: acknowledgement, text: "Read", audience: [staff], share: "100 %", escalate: [{after: 2 days, to: board}]'
    )
    company.start(one_gate(gate))
    company.decides(BEN)
    company.later(days=2)
    company.checks()
    assert company.requests(ANNA) == []
    [told] = company.messages("information", ANNA)
    assert told.facts["sentences"][0]["facts"]["people"] == "Carla Rossi, Dora Meier, Emil Vogt"


def test_an_escalated_list_is_filled_in_by_those_escalated_to(db: Database) -> None:
    company = Company(db)
    gate = (
        'kind: checklist, question: "?", filled_by: finance, approvers: [board], quorum: any, '
        "items: [{id: why, title: Why, kind: text}], escalate: [{after: 2 days, to: chair}]"
    )
    company.start(one_gate(gate))
    company.later(days=2)
    company.checks()
    company.fills_in(EMIL, {"why": "so"})
    assert company.gate()["waiting_for"] == [ANNA, BEN, CARLA]


def expiring(outcome: str, on_reject: str = "hold") -> str:
    return f"""
plan: two-stages
title: Two stages
calendar: {{holidays: CH-ZH, time_zone: Europe/Zurich}}
{ROLES}
stages:
  - {{id: first, title: First, gates: [{{id: gate, title: The gate, {SIGN_OFF}, quorum: any}}]}}
  - id: second
    title: Second
    gates:
      - {{id: late, title: Late, {SIGN_OFF}, expires: {{after: 2 days, outcome: {outcome}}}, on_reject: {on_reject}}}
"""


@pytest.mark.parametrize(
    ("outcome", "on_reject", "state", "stages"),
    [
        ("hold", "kill", "held", {"first": "passed", "second": "held"}),
        ("reject", "hold", "held", {"first": "passed", "second": "held"}),
        ("reject", "kill", "killed", {"first": "passed", "second": "failed"}),
        ("reject", "{recycle: first}", "open", {"first": "open", "second": "waiting"}),
        ("{recycle: first}", "hold", "open", {"first": "open", "second": "waiting"}),
    ],
)
def test_when_time_is_up_what_the_plan_says_follows(
    db: Database, outcome: str, on_reject: str, state: str, stages: dict[str, str]
) -> None:
    company = Company(db)
    company.start(expiring(outcome, on_reject))
    company.decides(ANNA)
    company.later(days=2, seconds=-1)
    assert company.checks_on_schedule().expired == 0
    company.later(seconds=1)
    assert company.checks_on_schedule().expired == 1
    assert (company.state, company.stage_states()) == (state, stages)
    assert len(company.messages("outcome", REQUESTER)) == 2


def test_nothing_expires_on_the_first_check_after_a_gap(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(f"{SIGN_OFF}, quorum: any, expires: {{after: 2 days}}"))
    company.checks()
    company.later(days=2)
    assert company.checks() == CheckReport(expiries_wait=True)
    company.decides(ANNA, "abstain")
    company.later(minutes=15)
    assert company.checks().expired == 1


def test_the_very_first_check_expires_nothing(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(f"{SIGN_OFF}, expires: {{after: 2 days}}"))
    company.later(days=20)
    assert company.checks().expiries_wait


def test_after_an_expiry_resuming_gives_the_gate_its_whole_time_again(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(f"{SIGN_OFF}, quorum: any, expires: {{after: 2 days}}"))
    company.later(days=2)
    company.checks_on_schedule()
    company.resumes()
    assert company.checks_on_schedule().expired == 0
    assert company.gate()["due_at"] == (company.now + timedelta(days=2)).isoformat()
    company.decides(ANNA)
    assert company.state == "completed"


STALLING = one_gate(f"{SIGN_OFF}, quorum: all").replace("    gates:", "    stalled_after: 3 business days\n    gates:")


def test_a_stalled_stage_is_told_once(db: Database) -> None:
    company = Company(db)
    company.start(STALLING, owner=EMIL)
    company.later(days=3, seconds=-1)
    assert company.checks().stalled == 0
    company.later(seconds=1)
    assert company.checks().stalled == 1
    assert [company.checks().stalled for _ in range(3)] == [0, 0, 0]
    assert company.headlines(EMIL).count("“Only stage” has stalled") == 1


def test_a_stage_that_was_resumed_can_stall_again(db: Database) -> None:
    company = Company(db)
    company.start(STALLING)
    company.decides(ANNA, "reject")
    company.later(days=10)
    assert company.checks().stalled == 0
    company.resumes()
    company.later(days=1)
    assert company.checks().stalled == 0
    company.later(days=10)
    assert company.checks().stalled == 1


def test_checking_twice_at_the_same_moment_changes_nothing_more(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(f"{ESCALATED}, remind: every 2 days"))
    company.later(days=4)
    company.checks()
    before = company.actions(), len(company.messages())
    assert company.checks() == CheckReport()
    assert (company.actions(), len(company.messages())) == before


def test_one_rollout_that_cannot_be_looked_after_does_not_keep_the_others_waiting(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    company = Company(db)
    broken = company.start(one_gate(REMINDED))
    company.start(one_gate(REMINDED))

    def fails_at_one(db: Database, keys: object, rollout_id: str, *args: object, **options: object) -> list[str]:
        if rollout_id == broken:
            raise ZeroDivisionError
        return attend_gates(db, keys, rollout_id, *args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(checking, "attend_gates", fails_at_one)
    company.later(days=2)
    report = company.checks()
    assert (report.reminded, report.failed) == (1, 1)
    company.later(minutes=15)
    assert not company.checks().expiries_wait


def test_replacing_keeps_the_voice_that_a_large_budget_adds_also_where_it_is_among_the_approvers(db: Database) -> None:
    company = Company(db)
    gate = """kind: budget, question: "Release it?", approvers: [finance, finance-head], quorum: any,
      bands: [{above: 100, approvers: [finance-head]}],
      escalate: [{after: 2 business days, to: board, replace: true}]"""
    company.start(one_gate(gate), budget={"Tools": "500"})
    company.later(days=3)
    company.checks()
    company.decides(ANNA)
    assert company.gate()["state"] == "open"  # the board instead of finance; the head of finance all the same
    company.decides(EMIL)
    assert company.gate()["state"] == "passed"


def test_the_owner_hears_it_when_everybody_escalated_to_was_asked_already(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(f"{SIGN_OFF}, escalate: [{{after: 2 business days, to: ben@example.com}}]"))
    company.later(days=3)
    company.checks()
    [told] = [m for m in company.messages("information", REQUESTER) if "escalated" in m.facts["headline"]["text"]]
    assert "asked already" in told.facts["sentences"][0]["text"]
