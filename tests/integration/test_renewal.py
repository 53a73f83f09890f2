"""Renewal: what has passed is asked again while the rollout runs; it holds on until somebody says no."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from domain.errors import GateSettled
from models.database import Database
from models.requests import Purpose, RequestState, VoidReason
from operations.check_stalled import check_stalled
from tests.company import KEYS, MONDAY, REQUESTER, ROLES, SIGN_OFF, Company
from tests.integration.test_two_at_once import race

ANNA, BEN, CARLA = "anna@example.com", "ben@example.com", "carla@example.com"
DORA, EMIL = "dora@example.com", "emil@example.com"
BOARD = f"{SIGN_OFF}, quorum: any"
FINANCE = 'kind: sign-off, question: "Still?", approvers: [finance]'
RENEWED = f"{BOARD}, renew: every 90 days"
BLOCKING = f"{BOARD}, renew: {{every: every 90 days, within: 10 business days, blocks_new_stages: true}}"
IN_90_DAYS = MONDAY + timedelta(days=90, hours=-1)  # 10:00 in Zurich stays 10:00 there, in summer time
DEADLINE = IN_90_DAYS + timedelta(days=12)  # from a Sunday, ten business days: to the second Friday
LIST = 'kind: checklist, question: "Who?", filled_by: finance, items: [{id: who, title: Who, kind: text}]'


def stage(name: str, *gates: str, needs: str = "", more: str = "") -> str:
    """A stage with these gates, called like it: a, a2, a3."""
    keys = [name, *(f"{name}{number}" for number in range(2, len(gates) + 1))]
    lines = "".join(
        f"      - {{id: {key}, title: Gate {key}, {gate}}}\n" for key, gate in zip(keys, gates, strict=True)
    )
    needed = f"    needs: {needs}\n" if needs else ""
    return f"  - id: {name}x\n    title: Stage {name}\n{needed}{more}    gates:\n{lines}"


def plan(*stages: str) -> str:
    return (
        f"plan: renewed\ntitle: Renewed\ncalendar: {{holidays: CH-ZH, time_zone: Europe/Zurich}}\n{ROLES}\n"
        f"stages:\n{''.join(stages)}"
    )


def begun(db: Database, *stages: str) -> Company:
    """A rollout whose first gate, a, Anna has let pass on the Monday."""
    company = Company(db)
    company.start(plan(*stages))
    company.decides(ANNA)
    return company


def asked_again(db: Database, *stages: str) -> Company:
    """The same, ninety days later, when the check has run."""
    company = begun(db, *stages)
    company.now = IN_90_DAYS
    company.checks()
    return company


def overdue(db: Database, *stages: str) -> Company:
    """The same, when the time to answer is over."""
    company = asked_again(db, *stages)
    company.now = DEADLINE
    company.checks_on_schedule()
    return company


def settle(company: Company, key: str, person: str, decision: str = "approve") -> None:
    """Let somebody decide at this gate, whatever else they are asked."""
    [request] = [
        row
        for row in company.requests(person, RequestState.OPEN)
        if row.purpose is Purpose.DECIDE and company.page(row).question.gate_key == key
    ]
    company.decides(person, decision, request=request)


class TestAskingAgain:
    def test_when_the_time_has_come_and_not_a_moment_before(self, db: Database) -> None:
        company = begun(db, stage("a", RENEWED), stage("b", FINANCE))
        assert company.gate("a")["renew_at"] == IN_90_DAYS.isoformat()
        company.now = IN_90_DAYS - timedelta(microseconds=1)
        assert company.checks().renewed == 0
        company.now = IN_90_DAYS
        assert company.checks().renewed == 1
        gate = company.gate("a")
        assert (gate["state"], gate["round"], gate["renewal"]) == ("open", 2, True)
        assert gate["waiting_for"] == [ANNA, BEN, CARLA]
        assert gate["due_at"] == DEADLINE.isoformat()

    def test_it_holds_on_meanwhile(self, db: Database) -> None:
        company = asked_again(db, stage("a", RENEWED), stage("b", FINANCE), stage("c", FINANCE))
        assert company.stage_states() == {"ax": "passed", "bx": "open", "cx": "waiting"}
        company.decides(DORA)
        assert company.stage_states() == {"ax": "passed", "bx": "passed", "cx": "open"}

    @pytest.mark.parametrize(
        ("every", "days"),
        [("every 36 hours", 1.5), ("every 3 days", 3), ("every 2 weeks", 14), ("every 4 business days", 4)],
    )
    def test_in_every_unit_of_time(self, db: Database, every: str, days: float) -> None:
        company = begun(db, stage("a", f"{BOARD}, renew: {{every: {every}, within: 2 hours}}"), stage("b", FINANCE))
        company.now = MONDAY + timedelta(days=days)
        assert company.checks().renewed == 1

    def test_the_mail_says_that_it_is_a_renewal_of_what_and_since_when_it_holds(self, db: Database) -> None:
        company = asked_again(db, stage("a", RENEWED), stage("b", FINANCE))
        page = company.page(company.asked(ANNA))
        assert page.question.renewal is not None
        assert page.question.renewal.text.startswith("This is a renewal: the gate passed on {moment}")
        assert page.question.renewal.facts["moment"] == MONDAY
        assert page.question.due_at == DEADLINE
        assert "holds on until it is answered" in page.question.on_silence.text
        assert len(company.messages("request", ANNA)) == 2

    def test_the_first_round_is_no_renewal(self, db: Database) -> None:
        company = Company(db)
        company.start(plan(stage("a", RENEWED), stage("b", FINANCE)))
        assert company.page(company.asked(ANNA)).question.renewal is None

    def test_by_two_checks_at_once_once(self, db: Database) -> None:
        company = begun(db, stage("a", RENEWED), stage("b", FINANCE))
        company.now = IN_90_DAYS
        race([lambda: check_stalled(db, KEYS, company.now)] * 4)
        assert company.actions().count("gate.renewal-due") == 1
        assert len(company.messages("request", ANNA)) == 2

    def test_after_a_year_without_a_check_once_with_the_whole_time_to_answer(self, db: Database) -> None:
        company = begun(db, stage("a", BLOCKING), stage("b", FINANCE))
        company.later(days=400)
        report = company.checks()
        assert (report.renewed, report.overdue) == (1, 0)
        assert company.gate("a")["round"] == 2
        company.later(minutes=15)
        assert (company.checks().renewed, company.checks().overdue) == (0, 0)
        company.decides(ANNA)
        company.later(days=89)
        assert company.checks().renewed == 0
        company.later(days=2)
        assert company.checks().renewed == 1

    def test_whoever_holds_the_role_by_then(self, db: Database) -> None:
        company = begun(db, stage("a", RENEWED), stage("b", FINANCE))
        board = "board: [anna@example.com, ben@example.com, carla@example.com]"
        company.import_people(company.directory.replace(board, "board: [carla@example.com]"))
        company.now = IN_90_DAYS
        company.checks()
        assert company.gate("a")["waiting_for"] == [CARLA]

    def test_before_the_stage_is_through_it_does_not_keep_the_stage_from_passing(self, db: Database) -> None:
        company = asked_again(db, stage("a", RENEWED, FINANCE), stage("b", FINANCE))
        assert company.stage_states() == {"ax": "open", "bx": "waiting"}
        company.decides(DORA)
        assert company.stage_states() == {"ax": "passed", "bx": "open"}
        assert company.gate("a")["state"] == "open"
        company.decides(BEN)
        assert company.gate("a")["state"] == "passed"

    def test_a_gate_that_comes_after_it_in_its_stage_is_asked_meanwhile(self, db: Database) -> None:
        company = Company(db)
        company.start(plan(stage("a", RENEWED, FINANCE, f"{FINANCE}, ask_after: [a, a2]"), stage("b", FINANCE)))
        company.decides(ANNA)
        company.now = IN_90_DAYS
        company.checks()
        settle(company, "a2", DORA)
        assert (company.gate("a")["state"], company.gate("a3")["state"]) == ("open", "open")

    def test_while_another_gate_holds_its_stage(self, db: Database) -> None:
        company = begun(db, stage("a", RENEWED, FINANCE), stage("b", FINANCE))
        company.decides(DORA, "reject")
        company.now = IN_90_DAYS
        company.checks()
        assert (company.state, company.gate("a")["state"]) == ("held", "open")
        company.decides(BEN, "reject")
        assert company.state == "held"
        company.resumes()
        settle(company, "a", ANNA)
        settle(company, "a2", DORA)
        assert company.stage_states() == {"ax": "passed", "bx": "open"}

    def test_what_was_waived_is_asked_when_its_renewal_comes(self, db: Database) -> None:
        company = Company(db)
        company.start(plan(stage("a", f"{RENEWED}, waiver: [chair]"), stage("b", FINANCE)))
        company.waives(EMIL, "a")
        company.now = IN_90_DAYS
        company.checks()
        page = company.page(company.asked(ANNA))
        assert page.question.renewal is not None
        assert "the gate was waived on" in page.question.renewal.text


class TestAnsweredYes:
    def test_it_passes_and_the_next_renewal_is_counted_from_then(self, db: Database) -> None:
        company = asked_again(db, stage("a", RENEWED), stage("b", FINANCE))
        company.later(days=3)
        company.decides(BEN)
        gate = company.gate("a")
        assert (gate["state"], gate["round"]) == ("passed", 2)
        assert gate["renew_at"] == (company.now + timedelta(days=90)).isoformat()
        assert [stage["round"] for stage in company.rollout()["stages"]] == [1, 1]

    def test_a_renewal_is_itself_renewed_and_says_since_when_the_last_one_holds(self, db: Database) -> None:
        company = asked_again(db, stage("a", RENEWED), stage("b", FINANCE))
        company.later(days=3)
        renewed = company.now
        company.decides(BEN)
        company.later(days=90)
        company.checks()
        page = company.page(company.asked(ANNA))
        assert page.question.round == 3
        assert page.question.renewal is not None
        assert page.question.renewal.facts["moment"] == renewed
        company.decides(CARLA)
        assert (company.gate("a")["state"], company.stage_states()["bx"]) == ("passed", "open")

    def test_the_record_has_one_entry_for_each_change(self, db: Database) -> None:
        company = asked_again(db, stage("a", RENEWED), stage("b", FINANCE))
        company.decides(BEN)
        told = [(entry.action, entry.round) for entry in company.entries() if entry.gate == "a"]
        assert told == [
            ("gate.opened", 1), ("decision.recorded", 1), ("gate.passed", 1),
            ("gate.renewal-due", 2), ("gate.opened", 2), ("decision.recorded", 2), ("gate.passed", 2),
        ]  # fmt: skip


class TestOverdue:
    def test_exactly_at_the_deadline_and_once(self, db: Database) -> None:
        company = asked_again(db, stage("a", RENEWED), stage("b", FINANCE))
        company.now = DEADLINE - timedelta(microseconds=1)
        assert company.checks().overdue == 0
        company.now = DEADLINE
        assert company.checks_on_schedule().overdue == 1
        company.later(days=30)
        assert company.checks().overdue == 0
        assert company.actions().count("gate.overdue") == 1
        assert company.gate("a")["state"] == "open"

    def test_by_two_checks_at_once_once(self, db: Database) -> None:
        company = asked_again(db, stage("a", RENEWED), stage("b", FINANCE))
        company.now = DEADLINE
        company.checks()
        race([lambda: check_stalled(db, KEYS, company.now)] * 4)
        assert company.actions().count("gate.overdue") == 1
        assert company.headlines(REQUESTER).count("The renewal of “Gate a” is overdue") == 1

    def test_without_an_escalation_those_who_look_after_it_are_told_who_is_silent(self, db: Database) -> None:
        company = Company(db)
        company.start(plan(stage("a", RENEWED, more="    owner: chair\n"), stage("b", FINANCE)), owner=DORA)
        company.decides(ANNA)
        company.now = IN_90_DAYS
        company.checks()
        company.now = DEADLINE
        company.checks_on_schedule()
        for person in (DORA, EMIL, REQUESTER):
            assert company.headlines(person)[-1] == "The renewal of “Gate a” is overdue"
        told = company.messages("information", EMIL)[-1]
        assert told.facts["sentences"][0]["facts"]["people"] == f"{ANNA}, {BEN}, {CARLA}"
        assert "holds on" in told.facts["sentences"][1]["text"]

    def test_the_plans_next_escalation_is_taken_at_once(self, db: Database) -> None:
        steps = "escalate: [{after: 30 business days, to: chair}]"
        company = overdue(db, stage("a", f"{RENEWED}, {steps}"), stage("b", FINANCE))
        assert company.gate("a")["waiting_for"] == [ANNA, BEN, CARLA, EMIL]
        assert company.headlines(REQUESTER)[-1] == "“Gate a” was escalated"
        company.now = MONDAY + timedelta(days=300)
        assert company.checks().escalated == 0
        settle(company, "a", EMIL)
        assert company.gate("a")["state"] == "passed"

    def test_reminders_and_escalations_are_counted_from_when_it_was_asked_again(self, db: Database) -> None:
        steps = "remind: every 2 business days, escalate: [{after: 4 days, to: chair}, {after: 30 days, to: finance}]"
        company = asked_again(db, stage("a", f"{RENEWED}, {steps}"), stage("b", FINANCE))
        assert company.messages("reminder") == []
        company.later(days=2)  # from a Sunday to a Tuesday
        company.checks()
        assert len(company.messages("reminder", ANNA)) == 1
        company.later(days=2)
        company.checks()
        assert company.requests(EMIL, RequestState.OPEN) != []
        company.now = DEADLINE
        company.checks_on_schedule()
        asked = [row for row in company.requests(DORA) if row.escalation_level == 2]
        assert len(asked) == 1  # the second step, before its time

    def test_an_answer_at_the_deadline_and_one_long_after_it_count(self, db: Database) -> None:
        company = asked_again(db, stage("a", RENEWED), stage("b", FINANCE))
        company.now = DEADLINE
        company.decides(ANNA)
        assert company.checks().overdue == 0
        company.later(days=90)
        company.checks()
        company.later(days=60)
        company.checks_on_schedule()
        assert company.gate("a")["overdue_at"] is not None
        company.decides(BEN)
        assert company.gate("a")["state"] == "passed"

    def test_it_never_expires(self, db: Database) -> None:
        expiring = f"{RENEWED}, expires: {{after: 20 business days, outcome: reject}}"
        company = asked_again(db, stage("a", expiring), stage("b", FINANCE))
        company.later(days=80)
        company.checks_on_schedule()
        assert (company.gate("a")["state"], company.state) == ("open", "open")

    def test_when_nobody_can_be_asked_the_owner_hears_that_and_it_is_asked_as_soon_as_there_is_somebody(
        self, db: Database
    ) -> None:
        company = begun(db, stage("a", f"{BLOCKING}, escalate: [{{after: 1 day, to: chair}}]"), stage("b", FINANCE),
                        stage("c", FINANCE))  # fmt: skip
        nobody = company.directory.replace("board: [anna@example.com, ben@example.com, carla@example.com]", "board: []")
        company.import_people(nobody)
        company.now = IN_90_DAYS
        company.checks()
        assert company.headlines(REQUESTER)[-1] == "Nobody can be asked at “Gate a”"
        company.now = DEADLINE
        company.checks_on_schedule()
        told = company.messages("information", REQUESTER)[-1]
        assert told.facts["sentences"][0]["text"] == "Nobody can be asked: {problem}"
        company.decides(DORA)
        assert company.stage_states() == {"ax": "passed", "bx": "passed", "cx": "waiting"}
        company.import_people(company.directory)
        company.checks()
        settle(company, "a", ANNA)
        assert company.stage_states()["cx"] == "open"


class TestKeepingStagesClosed:
    def test_once_overdue_no_further_stage_opens_and_those_that_are_open_go_on(self, db: Database) -> None:
        company = overdue(db, stage("a", BLOCKING), stage("b", FINANCE), stage("c", FINANCE))
        assert company.stage_states() == {"ax": "passed", "bx": "open", "cx": "waiting"}
        company.decides(DORA)
        assert (company.state, company.stage_states()) == ("open", {"ax": "passed", "bx": "passed", "cx": "waiting"})
        assert company.rollout()["no_stage_opens_before"] == ["a"]

    def test_the_owner_is_told_why_nothing_opens(self, db: Database) -> None:
        company = overdue(db, stage("a", f"{BLOCKING}, escalate: [{{after: 30 days, to: chair}}]"), stage("b", FINANCE))
        told = company.messages("information", REQUESTER)
        [sentences] = [row.facts["sentences"] for row in told if "is overdue" in row.facts["headline"]["text"]]
        assert sentences[1]["text"] == "Until it is answered no further stage opens. Those that are open go on."
        assert company.headlines(REQUESTER)[-1] == "“Gate a” was escalated"

    def test_a_yes_opens_whatever_waited_in_the_same_moment(self, db: Database) -> None:
        company = overdue(db, stage("a", BLOCKING), stage("b", FINANCE), stage("c", FINANCE))
        company.decides(DORA)
        company.decides(CARLA)
        assert company.stage_states() == {"ax": "passed", "bx": "passed", "cx": "open"}
        assert company.rollout()["no_stage_opens_before"] == []

    def test_a_waiver_does_too(self, db: Database) -> None:
        company = overdue(db, stage("a", f"{BLOCKING}, waiver: [chair]"), stage("b", FINANCE), stage("c", FINANCE))
        company.decides(DORA)
        company.waives(EMIL, "a")
        assert company.stage_states()["cx"] == "open"
        assert company.gate("a")["renew_at"] == (company.now + timedelta(days=90)).isoformat()

    def test_also_stages_beside_it(self, db: Database) -> None:
        company = overdue(db, stage("a", BLOCKING), stage("b", FINANCE, needs="[]"), stage("c", FINANCE, needs="[bx]"))
        company.decides(DORA)
        assert company.stage_states()["cx"] == "waiting"
        company.decides(BEN)
        assert company.stage_states()["cx"] == "open"

    def test_before_the_deadline_and_where_the_plan_does_not_say_so_stages_open(self, db: Database) -> None:
        before = asked_again(db, stage("a", BLOCKING), stage("b", FINANCE), stage("c", FINANCE))
        before.decides(DORA)
        assert before.stage_states()["cx"] == "open"
        silent = overdue(db, stage("a", RENEWED), stage("b", FINANCE), stage("c", FINANCE))
        silent.decides(DORA)
        assert silent.stage_states()["cx"] == "open"

    def test_what_is_closed_does_not_keep_the_rollout_from_ending(self, db: Database) -> None:
        company = overdue(db, stage("a", BLOCKING), stage("b", FINANCE))
        company.decides(DORA)
        assert company.state == "completed"


class TestAnsweredNo:
    def test_the_stage_is_opened_once_more_and_held_and_later_ones_go_on(self, db: Database) -> None:
        company = asked_again(db, stage("a", RENEWED), stage("b", FINANCE), stage("c", FINANCE))
        for person in (ANNA, BEN, CARLA):
            settle(company, "a", person, "reject")
        assert company.state == "held"
        assert company.stage_states() == {"ax": "held", "bx": "open", "cx": "waiting"}
        assert [one["round"] for one in company.rollout()["stages"]] == [2, 1, 1]
        held = company.messages("information", REQUESTER)[-1]
        assert "was not renewed" in held.facts["sentences"][0]["text"]
        company.decides(DORA)
        assert company.stage_states() == {"ax": "held", "bx": "passed", "cx": "waiting"}

    def test_resumed_it_is_asked_as_if_for_the_first_time_and_then_the_rest_follows(self, db: Database) -> None:
        company = asked_again(db, stage("a", RENEWED), stage("b", FINANCE), stage("c", FINANCE))
        for person in (ANNA, BEN, CARLA):
            settle(company, "a", person, "reject")
        company.decides(DORA)
        company.resumes()
        gate = company.gate("a")
        assert (gate["state"], gate["renewal"], gate["round"]) == ("open", False, 3)
        assert company.page(company.asked(ANNA)).question.renewal is None
        company.decides(ANNA)
        assert company.stage_states() == {"ax": "passed", "bx": "passed", "cx": "open"}
        assert company.gate("a")["renew_at"] == (company.now + timedelta(days=90)).isoformat()

    def test_or_it_is_waived_where_the_plan_says_by_whom(self, db: Database) -> None:
        company = asked_again(db, stage("a", f"{RENEWED}, waiver: [chair]"), stage("b", FINANCE), stage("c", FINANCE))
        for person in (ANNA, BEN, CARLA):
            settle(company, "a", person, "reject")
        company.waives(EMIL, "a")
        assert (company.state, company.stage_states()["ax"]) == ("open", "passed")
        company.decides(DORA)
        assert company.stage_states()["cx"] == "open"

    def test_kill_ends_the_rollout(self, db: Database) -> None:
        company = asked_again(db, stage("a", f"{RENEWED}, on_reject: kill"), stage("b", FINANCE))
        request = company.asked(DORA)
        for person in (ANNA, BEN, CARLA):
            settle(company, "a", person, "reject")
        assert (company.state, company.stage_states()) == ("killed", {"ax": "failed", "bx": "skipped"})
        assert company.page(request).void_reason is VoidReason.WITHDRAWN

    def test_recycle_asks_the_named_stage_and_everything_after_it_again_as_usual(self, db: Database) -> None:
        company = begun(db, stage("a", BOARD), stage("b", f"{BOARD}, renew: every 90 days, on_reject: {{recycle: ax}}"),
                        stage("c", FINANCE))  # fmt: skip
        company.decides(ANNA)
        company.now = IN_90_DAYS
        company.checks()
        for person in (ANNA, BEN, CARLA):
            settle(company, "b", person, "reject")
        assert company.state == "open"
        assert company.stage_states() == {"ax": "open", "bx": "waiting", "cx": "waiting"}
        assert (company.gate("b")["renewal"], company.gate("c")["round"]) == (False, 2)
        company.decides(ANNA)
        company.decides(ANNA)
        assert company.stage_states() == {"ax": "passed", "bx": "passed", "cx": "open"}

    def test_out_of_reach_is_a_no_as_well(self, db: Database) -> None:
        company = Company(db)
        company.start(plan(stage("a", f"{SIGN_OFF}, quorum: all, renew: every 90 days"), stage("b", FINANCE)))
        for person in (ANNA, BEN, CARLA):
            company.decides(person)
        company.now = IN_90_DAYS
        company.checks()
        settle(company, "a", CARLA, "abstain")
        assert (company.state, company.stage_states()["ax"]) == ("held", "held")

    def test_an_advisers_no_undoes_nothing(self, db: Database) -> None:
        company = asked_again(db, stage("a", f"{RENEWED}, binding: false"), stage("b", FINANCE))
        for person in (ANNA, BEN, CARLA):
            if company.requests(person, RequestState.OPEN):
                settle(company, "a", person, "reject")
        assert (company.gate("a")["state"], company.stage_states()) == ("passed", {"ax": "passed", "bx": "open"})

    @pytest.mark.parametrize(("on_reject", "state"), [("hold", "open"), ("kill", "killed")])
    def test_of_an_exclusive_stage_that_others_use_by_now(self, db: Database, on_reject: str, state: str) -> None:
        source = plan(
            stage("a", f"{RENEWED}, on_reject: {on_reject}", more="    exclusive: channel\n"), stage("b", FINANCE)
        )
        other = Company(db)
        company = Company(db)
        company.start(source)
        company.decides(ANNA)
        other.start(source)
        company.now = IN_90_DAYS
        company.checks()
        for person in (ANNA, BEN, CARLA):
            settle(company, "a", person, "reject")
        assert company.state == state
        if state == "open":  # it takes its turn, and is then on hold
            other.cancels()
            company.advance()
            assert (company.state, company.stage_states()["ax"]) == ("held", "held")


class TestTheEndOfTheRollout:
    def test_completed_withdraws_what_is_asked_and_those_asked_are_told(self, db: Database) -> None:
        company = asked_again(db, stage("a", RENEWED), stage("b", FINANCE))
        request = company.asked(ANNA)
        company.decides(DORA)
        assert (company.state, company.gate("a")["state"]) == ("completed", "withdrawn")
        page = company.page(request)
        assert (page.state, page.void_reason) == (RequestState.VOID, VoidReason.WITHDRAWN)
        assert company.headlines(ANNA) == ["Completed: every stage has passed"]
        assert company.stage_states() == {"ax": "passed", "bx": "passed"}
        with pytest.raises(GateSettled):
            company.decides(ANNA, request=request)

    def test_called_off_too(self, db: Database) -> None:
        company = asked_again(db, stage("a", RENEWED), stage("b", FINANCE))
        request = company.asked(ANNA)
        company.cancels()
        assert company.gate("a")["state"] == "withdrawn"
        assert company.page(request).void_reason is VoidReason.CANCELLED
        assert company.stage_states()["ax"] == "passed"

    @pytest.mark.parametrize("end", ["completed", "cancelled"])
    def test_after_it_nobody_is_asked(self, db: Database, end: str) -> None:
        company = begun(db, stage("a", RENEWED), stage("b", FINANCE))
        if end == "completed":
            company.decides(DORA)
        else:
            company.cancels()
        assert company.state == end
        company.later(days=400)
        report = company.checks()
        assert (report.renewed, report.overdue) == (0, 0)
        assert company.requests(ANNA, RequestState.OPEN) == []

    def test_one_that_is_not_answered_is_not_overdue_after_the_end(self, db: Database) -> None:
        company = asked_again(db, stage("a", BLOCKING), stage("b", FINANCE))
        company.cancels()
        company.now = DEADLINE
        assert company.checks_on_schedule().overdue == 0

    def test_going_back_past_it_makes_an_ordinary_round(self, db: Database) -> None:
        company = asked_again(db, stage("a", RENEWED), stage("b", f"{FINANCE}, on_reject: {{recycle: ax}}"))
        request = company.asked(ANNA)
        company.decides(DORA, "reject")
        assert company.page(request).void_reason is VoidReason.WITHDRAWN
        gate = company.gate("a")
        assert (gate["state"], gate["round"], gate["renewal"]) == ("open", 3, False)
        assert company.stage_states() == {"ax": "open", "bx": "waiting"}


class TestAList:
    def test_is_shown_as_it_was_filled_in_and_asked_again_first_of_whoever_fills_it_in(self, db: Database) -> None:
        company = Company(db)
        company.start(plan(stage("a", f"{LIST}, approvers: [board], quorum: any, renew: every 90 days"),
                           stage("b", BOARD)))  # fmt: skip
        company.fills_in(DORA, {"who": "Lea"})
        company.decides(ANNA)
        company.now = IN_90_DAYS
        company.checks()
        assert company.gate("a")["waiting_for"] == [DORA]
        page = company.page(company.asked(DORA))
        assert [entry.value for entry in page.question.to_fill] == ["Lea"]
        assert page.question.renewal is not None
        company.fills_in(DORA, {"who": "Lea and Max"})
        assert company.gate("a")["waiting_for"] == [ANNA, BEN, CARLA]
        settle(company, "a", BEN)
        assert (company.gate("a")["state"], company.stage_states()["bx"]) == ("passed", "open")

    def test_goes_back_to_whoever_fills_it_in_and_is_still_a_renewal_and_as_overdue_as_before(
        self, db: Database
    ) -> None:
        company = Company(db)
        blocking = "renew: {every: every 90 days, blocks_new_stages: true}"
        company.start(plan(stage("a", f"{LIST}, approvers: [chair], {blocking}"), stage("b", BOARD), stage("c", BOARD)))
        company.fills_in(DORA, {"who": "Lea"})
        company.decides(EMIL)
        company.now = IN_90_DAYS
        company.checks()
        company.fills_in(DORA, {"who": "Max"})
        company.now = DEADLINE
        company.checks_on_schedule()
        company.decides(EMIL, "request-changes")
        gate = company.gate("a")
        assert (gate["state"], gate["renewal"], gate["waiting_for"]) == ("open", True, [DORA])
        page = company.page(company.asked(DORA))
        assert page.question.renewal is not None
        assert page.question.renewal.facts["moment"] == MONDAY
        company.decides(ANNA)
        assert company.stage_states() == {"ax": "passed", "bx": "passed", "cx": "waiting"}
        company.fills_in(DORA, {"who": "Max and Lea"})
        company.decides(EMIL)
        assert company.stage_states()["cx"] == "open"

    def test_nobody_approves_passes_when_it_is_filled_in_again(self, db: Database) -> None:
        company = Company(db)
        company.start(plan(stage("a", f"{LIST}, renew: every 90 days"), stage("b", BOARD)))
        company.fills_in(DORA, {"who": "Lea"})
        company.now = IN_90_DAYS
        company.checks()
        company.fills_in(DORA, {"who": "Lea"})
        assert (company.gate("a")["state"], company.gate("a")["round"]) == ("passed", 2)


class TestChanges:
    def test_asked_for_at_a_renewal_stop_its_time_as_well(self, db: Database) -> None:
        company = asked_again(db, stage("a", RENEWED), stage("b", FINANCE))
        company.later(days=1)
        company.decides(ANNA, "request-changes")
        company.now = DEADLINE + timedelta(days=10)
        assert company.checks().overdue == 0
        assert company.stage_states() == {"ax": "passed", "bx": "open"}

    def test_of_what_was_approved_end_the_renewal_and_ask_as_if_for_the_first_time(self, db: Database) -> None:
        company = Company(db)
        pinned = f"{RENEWED}, pinned_to: [concept], expires: {{after: 30 days}}"
        source = plan(stage("a", pinned), stage("b", FINANCE), stage("c", FINANCE))
        company.start(f"{source}inputs: {{concept: {{kind: text}}}}\n", inputs={"concept": "first"})
        company.decides(ANNA)
        company.now = IN_90_DAYS
        company.checks()
        company.changes(concept="second")
        gate = company.gate("a")
        assert (gate["state"], gate["renewal"], company.stage_states()["ax"]) == ("open", False, "open")
        assert gate["due_at"] == (IN_90_DAYS + timedelta(days=30)).isoformat()
        company.decides(DORA)
        assert company.stage_states()["cx"] == "waiting"
        company.decides(ANNA)
        assert company.stage_states() == {"ax": "passed", "bx": "passed", "cx": "open"}

    def test_and_whoever_had_renewed_already_is_asked_again_too(self, db: Database) -> None:
        company = Company(db)
        pinned = f"{SIGN_OFF}, quorum: 2, renew: every 90 days, pinned_to: [concept]"
        source = plan(stage("a", pinned), stage("b", FINANCE))
        company.start(f"{source}inputs: {{concept: {{kind: text}}}}\n", inputs={"concept": "first"})
        company.decides(ANNA)
        company.decides(BEN)
        company.now = IN_90_DAYS
        company.checks()
        company.decides(CARLA)
        company.changes(concept="second")
        assert sorted(voice for voice, _ in company.lapsed()) == [ANNA, BEN, CARLA]
        assert company.gate("a")["waiting_for"] == [ANNA, BEN, CARLA]
        company.decides(CARLA)
        company.decides(ANNA)
        assert (company.gate("a")["state"], company.stage_states()["ax"]) == ("passed", "passed")

    def test_of_something_else_leave_a_renewed_list_alone_that_was_filled_in_differently(self, db: Database) -> None:
        company = Company(db)
        source = plan(stage("a", f"{LIST}, approvers: [chair], renew: every 90 days"), stage("b", BOARD))
        company.start(f"{source}inputs: {{concept: {{kind: text}}}}\n", inputs={"concept": "first"})
        company.fills_in(DORA, {"who": "Lea"})
        company.decides(EMIL)
        company.now = IN_90_DAYS
        company.checks()
        company.fills_in(DORA, {"who": "Max"})
        assert (company.lapsed(), company.stage_states()["ax"]) == ([], "passed")
        company.decides(EMIL)
        company.changes(concept="second")
        assert (company.lapsed(), company.gate("a")["state"], company.gate("a")["round"]) == ([], "passed", 2)


class TestANewerPlan:
    @pytest.mark.parametrize(("before", "after", "days"), [("90", "30", 30), ("30", "90", 90), ("30", "", None)])
    def test_says_when_what_has_passed_is_asked_again(
        self, db: Database, before: str, after: str, days: int | None
    ) -> None:
        company = begun(db, stage("a", f"{BOARD}, renew: every {before} days"), stage("b", FINANCE))
        company.later(days=1)
        renew = f", renew: every {after} days" if after else ""
        company.migrates(plan(stage("a", f"{BOARD}{renew}"), stage("b", FINANCE)))
        again = company.gate("a")["renew_at"]
        assert (datetime.fromisoformat(again) - MONDAY if again else None) in (
            None if days is None else timedelta(days=days),
            None if days is None else timedelta(days=days, hours=-1),  # 10:00 in Zurich, in summer time by then
        )
        company.later(days=200)
        assert company.checks().renewed == (0 if days is None else 1)

    def test_that_no_longer_keeps_stages_closed_lets_them_open(self, db: Database) -> None:
        company = overdue(db, stage("a", BLOCKING), stage("b", FINANCE), stage("c", FINANCE))
        company.decides(DORA)
        assert company.stage_states()["cx"] == "waiting"
        company.migrates(plan(stage("a", RENEWED), stage("b", FINANCE), stage("c", FINANCE)))
        assert company.stage_states()["cx"] == "open"


class TestSeparationOfDuties:
    def test_whoever_renewed_counts_as_having_decided_and_so_does_whoever_did_before(self, db: Database) -> None:
        apart = f"{BOARD}, different_people_than: [a]"
        company = asked_again(db, stage("a", RENEWED), stage("b", FINANCE), stage("c", apart))
        settle(company, "a", BEN)
        company.decides(DORA)
        assert company.gate("c")["waiting_for"] == [CARLA]
