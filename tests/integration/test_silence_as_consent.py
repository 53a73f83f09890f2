"""Silence as consent: a gate passes when nobody objected, everybody was really asked, and its plan says so."""

from __future__ import annotations

from typing import Any

import pytest

from domain.errors import GateSettled
from models.database import Database
from models.requests import RequestState, VoidReason
from notifications.language import Words
from notifications.messages import OutcomeMail
from operations.chart import chart
from operations.compose_message import Composer, workspace_for
from tests.company import KEYS, REQUESTER, Company
from tests.integration.test_two_at_once import deciding, race
from tests.sample_plans import LATER, SIGN_OFF, one_gate

ANNA, BEN, CARLA, EMIL = "anna@example.com", "ben@example.com", "carla@example.com", "emil@example.com"
CONSENT = "silence_is_consent: true, expires: {after: 5 days, outcome: pass}"
QUIET = f"{SIGN_OFF}, quorum: all, {CONSENT}"
LIST = f'kind: checklist, question: "Who?", items: [{{id: a, title: A, kind: text}}], approvers: [board], {CONSENT}'


def asked(db: Database, gate: str = QUIET, **start: Any) -> Company:
    """A gate that passes by silence after five days; everybody got their mail."""
    company = Company(db)
    company.start(one_gate(gate), **start)
    company.mails_arrive()
    return company


def time_is_up(company: Company) -> None:
    """Let the time for objections pass, and run the check as it is scheduled."""
    company.later(days=5)
    company.checks_on_schedule()


def test_when_nobody_objects_the_gate_passes_and_it_is_recorded_as_silence(db: Database) -> None:
    company = asked(db)
    time_is_up(company)
    assert company.state == "completed"
    gate = company.gate()
    assert (gate["state"], gate["outcome"], gate["decisions"]) == ("passed", "go", [])
    assert gate["silent"] == [ANNA, BEN, CARLA]
    [entry] = company.entries("gate.passed")
    assert (entry.facts["silence"], entry.facts["silent"]) == (True, [ANNA, BEN, CARLA])
    assert entry.facts["because"] == (
        "nobody objected within the time for objections; silent: Anna Keller, Ben Frei, Carla Rossi"
    )
    assert (entry.actor, entry.channel) == ("etappe", "rules")
    assert company.entries("decision.recorded") == []


def test_only_those_who_said_nothing_count_as_silent(db: Database) -> None:
    company = asked(db)
    company.decides(BEN)
    company.mails_arrive()
    time_is_up(company)
    gate = company.gate()
    assert (gate["state"], gate["silent"]) == ("passed", [ANNA, CARLA])
    assert [decision["by"] for decision in gate["decisions"]] == [BEN]


def test_everybody_is_told_before_that_silence_counts(db: Database) -> None:
    company = asked(db, f"{QUIET}, escalate: [{{after: 2 days, to: chair}}]")
    company.later(days=2)
    company.checks()
    for person in (ANNA, BEN, CARLA, EMIL):
        told = str(company.page(company.asked(person)).question.on_silence)
        assert told.startswith("Silence counts as consent here: if nobody objects by 2026-03-07")


def test_a_quorum_that_is_met_earlier_settles_the_gate_at_once(db: Database) -> None:
    company = asked(db, QUIET.replace("quorum: all", "quorum: 2"))
    company.decides(ANNA)
    company.decides(BEN)
    gate = company.gate()
    assert (gate["state"], gate["silent"]) == ("passed", [])
    [entry] = company.entries("gate.passed")
    assert "silence" not in entry.facts


def test_before_time_is_up_silence_is_nothing(db: Database) -> None:
    company = asked(db)
    company.later(days=5, seconds=-1)
    company.checks_on_schedule()
    assert company.gate()["state"] == "open"


def test_an_objection_holds_the_stage_when_time_is_up(db: Database) -> None:
    company = asked(db, QUIET.replace("quorum: all", "quorum: any"))
    company.decides(BEN, "reject")
    company.mails_arrive()
    assert company.gate()["state"] == "open"
    time_is_up(company)
    assert (company.state, company.gate()["state"], company.gate()["outcome"]) == ("held", "expired", "hold")
    assert company.gate()["because"] == "silence is no consent here, because Ben Frei objected"


def test_while_changes_are_asked_for_the_time_to_object_stands_still(db: Database) -> None:
    company = asked(db)
    company.decides(BEN, "request-changes")
    company.mails_arrive()
    time_is_up(company)
    assert (company.gate()["state"], company.gate()["due_at"]) == ("open", None)


def test_whoever_asked_for_changes_has_to_be_heard_again_before_silence_is_consent(db: Database) -> None:
    company = asked(db)
    company.decides(BEN, "request-changes")
    company.answers_changes(REQUESTER)
    company.mails_arrive()
    told = str(company.page(company.asked(ANNA)).question.on_silence)
    assert told.startswith("Silence would count as consent here, but Ben Frei objected or asked for changes")
    time_is_up(company)
    assert company.gate()["because"] == "silence is no consent here, because Ben Frei asked for changes"


def test_whoever_asked_for_changes_may_abstain_and_leave_it_to_the_silence_of_the_others(db: Database) -> None:
    company = asked(db, QUIET.replace("quorum: all", "quorum: any"))
    company.decides(BEN, "request-changes")
    company.answers_changes(REQUESTER)
    company.decides(BEN, "abstain")
    company.mails_arrive()
    time_is_up(company)
    assert (company.gate()["state"], company.gate()["silent"]) == ("passed", [ANNA, CARLA])


def test_a_list_that_was_filled_in_passes_when_nobody_objects_to_it(db: Database) -> None:
    company = asked(db, LIST)
    company.fills_in(REQUESTER, {"a": "all of us"})
    company.mails_arrive()
    time_is_up(company)
    assert (company.gate()["state"], company.gate()["silent"]) == ("passed", [ANNA, BEN, CARLA])


@pytest.mark.parametrize("lost", [ANNA, CARLA])
def test_somebody_whose_mail_was_refused_was_never_really_asked(db: Database, lost: str) -> None:
    company = Company(db)
    company.start(one_gate(QUIET))
    company.mails_arrive(lost)
    company.mails_arrive()
    time_is_up(company)
    assert (company.state, company.gate()["state"]) == ("held", "expired")
    name = {ANNA: "Anna Keller", CARLA: "Carla Rossi"}[lost]
    assert company.gate()["because"] == f"silence is no consent here, because a mail was not delivered: {name}"


def test_somebody_whose_mail_still_waits_was_not_asked_yet(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(QUIET))
    time_is_up(company)
    assert company.gate()["because"].endswith("not delivered: Anna Keller, Ben Frei, Carla Rossi")


def test_a_lost_mail_of_somebody_who_has_answered_does_not_matter(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(QUIET))
    company.decides(ANNA)  # perhaps by the command line
    company.mails_arrive(ANNA)
    company.mails_arrive()
    time_is_up(company)
    assert company.gate()["state"] == "passed"


def test_a_reminder_that_was_refused_shows_that_somebody_is_out_of_reach(db: Database) -> None:
    company = asked(db, f"{QUIET}, remind: every 3 days")
    company.later(days=3)
    company.checks()
    company.mails_arrive(BEN)
    company.mails_arrive()
    company.later(days=2)
    company.checks_on_schedule()
    assert company.gate()["because"].endswith("a mail was not delivered: Ben Frei")


def test_a_list_that_was_never_filled_in_passes_nobody(db: Database) -> None:
    """Those who approve it were not asked, so nobody's silence can count."""
    company = asked(db, LIST)
    time_is_up(company)
    assert company.gate()["state"] == "expired"
    assert "not everybody was asked: Anna Keller, Ben Frei, Carla Rossi" in company.gate()["because"]


def test_an_objection_in_the_very_moment_counts_or_comes_too_late_and_never_both(db: Database) -> None:
    company = asked(db, QUIET.replace("quorum: all", "quorum: any"))
    company.later(days=5, minutes=-15)
    company.checks()
    company.mails_arrive()
    company.later(minutes=15)
    company.checks()  # the run after it believes what its clock shows (domain/check_clock.py)
    objecting = deciding(company, BEN, "reject")
    came_back = race([company.checks, objecting, company.checks])
    objected = not isinstance(came_back[1], GateSettled)
    assert company.gate()["state"] == ("expired" if objected else "passed")
    assert len(company.gate()["decisions"]) == objected
    assert len(company.entries("gate.passed")) + len(company.entries("gate.expired")) == 1


def test_looked_at_twice_it_passes_once(db: Database) -> None:
    company = asked(db)
    time_is_up(company)
    for _ in range(3):
        company.later(minutes=15)
        company.checks()
        company.advance()
    assert len(company.entries("gate.passed")) == 1
    assert len(company.messages("outcome", REQUESTER)) == 1


def test_after_a_gap_in_the_checks_it_waits_for_the_next_one_and_takes_objections_until_then(db: Database) -> None:
    company = asked(db, QUIET.replace("quorum: all", "quorum: any"))
    company.later(days=9)
    assert company.checks().expiries_wait
    assert company.gate()["state"] == "open"
    company.decides(BEN, "reject", comment="I was away")
    company.mails_arrive()
    company.later(minutes=15)
    company.checks()
    assert company.gate()["because"] == "silence is no consent here, because Ben Frei objected"


def test_resumed_after_an_objection_there_is_time_to_object_again(db: Database) -> None:
    company = asked(db, QUIET.replace("quorum: all", "quorum: any"))
    company.decides(BEN, "reject")
    company.mails_arrive()
    time_is_up(company)
    company.resumes()
    company.mails_arrive()
    assert company.gate()["due_at"] == "2026-03-12T09:00:00+00:00"
    time_is_up(company)
    assert (company.state, company.gate()["state"]) == ("completed", "passed")


class TestTheTimeToObject:
    ABOUT_MONEY = f"{QUIET}, pinned_to: [budget]"

    def about_money(self, db: Database) -> Company:
        company = asked(db, self.ABOUT_MONEY, budget={"tools": "100"})
        company.later(days=4)
        return company

    def test_begins_anew_when_what_it_is_about_changes_and_the_silent_hear_it(self, db: Database) -> None:
        company = self.about_money(db)
        company.changes(budget={"tools": "200"})
        assert company.gate()["due_at"] == "2026-03-11T09:00:00+00:00"
        for person in (ANNA, BEN, CARLA):
            assert company.headlines(person)[-1] == "What you are asked at “The gate” has changed"
            assert len(company.messages("request", person)) == 2
        company.mails_arrive()
        company.later(days=4)
        company.checks_on_schedule()
        assert company.gate()["state"] == "open"
        company.later(days=1)
        company.checks_on_schedule()
        assert company.gate()["state"] == "passed"

    def test_a_mail_about_the_change_that_was_lost_is_no_consent(self, db: Database) -> None:
        company = self.about_money(db)
        company.changes(budget={"tools": "200"})
        company.mails_arrive(BEN)
        company.mails_arrive()
        time_is_up(company)
        assert company.gate()["because"].endswith("a mail was not delivered: Ben Frei")

    def test_whoever_had_approved_hears_it_once_by_the_news_that_it_lapsed(self, db: Database) -> None:
        company = self.about_money(db)
        company.decides(BEN)
        company.changes(budget={"tools": "200"})
        assert len(company.messages("lapsed", BEN)) == 1
        assert len(company.messages("request", BEN)) == 1
        assert "What you are asked at “The gate” has changed" not in company.headlines(BEN)

    def test_goes_on_when_something_else_changes(self, db: Database) -> None:
        company = asked(db, budget={"tools": "100"})
        company.later(days=4)
        company.changes(budget={"tools": "200"})
        assert company.gate()["due_at"] == "2026-03-07T09:00:00+00:00"
        assert len(company.messages("request", ANNA)) == 1

    def test_after_a_change_while_the_clock_stood_still_is_the_whole_time(self, db: Database) -> None:
        company = self.about_money(db)
        company.decides(BEN, "request-changes")
        company.later(days=1)
        company.changes(budget={"tools": "200"})
        company.later(days=1)
        company.answers_changes(REQUESTER)
        assert company.gate()["due_at"] == "2026-03-13T09:00:00+00:00"

    def test_is_the_whole_time_for_somebody_asked_in_anothers_place(self, db: Database) -> None:
        company = asked(db)
        company.later(days=4)
        company.reassigns(ANNA, EMIL)
        assert company.gate()["due_at"] == "2026-03-11T09:00:00+00:00"
        assert "if nobody objects by 2026-03-11" in str(company.page(company.asked(EMIL)).question.on_silence)

    def test_begins_for_a_list_when_it_is_filled_in(self, db: Database) -> None:
        company = asked(db, LIST)
        company.later(days=4)
        company.fills_in(REQUESTER, {"a": "all of us"})
        assert company.gate()["due_at"] == "2026-03-11T09:00:00+00:00"

    def test_goes_on_when_the_plan_has_others_asked_as_well(self, db: Database) -> None:
        company = asked(db, f"{QUIET}, escalate: [{{after: 2 days, to: chair}}]")
        company.later(days=2)
        company.checks()
        assert company.gate()["due_at"] == "2026-03-07T09:00:00+00:00"
        assert EMIL in company.gate()["waiting_for"]


def test_the_links_of_the_silent_say_what_their_silence_was(db: Database) -> None:
    company = asked(db)
    time_is_up(company)
    [request] = company.requests(ANNA)
    assert (request.state, request.void_reason) == (RequestState.VOID, VoidReason.SILENT)
    page = company.page(request)
    assert page.settlement is not None
    assert page.mine is None


def test_a_condition_of_somebody_who_did_speak_is_kept(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(QUIET) + LATER)
    company.decides(BEN, "approve-with-conditions", conditions=[company.condition("check it", EMIL)])
    company.mails_arrive()
    time_is_up(company)
    assert company.gate("condition-1")["waiting_for"] == [EMIL]


def test_prefects_page_and_the_outcome_mail_show_it_as_silence(db: Database) -> None:
    company = asked(db, flow_run_id="f" * 8)
    company.decides(BEN)
    company.mails_arrive()
    time_is_up(company)
    shown = chart(company.db, company.rollout_id, company.now)
    assert shown is not None
    [line] = shown.gates
    assert line.by_silence
    assert line.because is not None
    assert "geschwiegen haben: Anna Keller, Carla Rossi" in Words("de", "UTC").say(line.because)
    [message] = company.messages("outcome", REQUESTER)
    with company.db.read() as session:
        mail = Composer(KEYS, "http://x").compose(workspace_for(session, message, company.now), message)
    assert isinstance(mail, OutcomeMail)
    assert mail.settlement.because == line.because
