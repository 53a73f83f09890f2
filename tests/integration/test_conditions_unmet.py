"""A condition that is overdue, or that whoever made it does not call met, holds its stage until it is."""

from __future__ import annotations

from datetime import UTC, datetime

from models.database import Database
from notifications.messages import OutcomeMail
from operations.compose_message import Composer, workspace_for
from tests.company import ANNA, BEN, CARLA, DORA, EMIL, KEYS, REQUESTER, Company
from tests.integration.test_two_at_once import deciding, race
from tests.with_conditions import agreed, plan


class TestOverdue:
    def test_it_holds_its_stage_and_those_concerned_hear_it_by_name(self, db: Database) -> None:
        company = agreed(db)
        company.now = datetime(2026, 3, 9, 22, 59, 58, tzinfo=UTC)
        assert company.checks_on_schedule().expired == 0
        company.later(seconds=1)
        assert company.checks_on_schedule().expired == 1
        assert (company.state, company.stage_states()["b"]) == ("held", "held")
        assert company.gate("condition-1")["outcome"] == "hold"
        for person in (REQUESTER, EMIL, ANNA):
            assert "Overdue: a condition that Ben Frei was to see to" in company.headlines(person)
        [outcome] = company.messages("outcome", BEN)
        assert outcome.facts["gate_id"]

    def test_before_its_stage_opens_it_holds_it_as_soon_as_it_does_and_nobody_is_asked_in_vain(
        self, db: Database
    ) -> None:
        company = agreed(db, Company(db).condition(stage="c"))
        company.later(days=8)
        company.checks_on_schedule()
        assert company.gate("condition-1")["state"] == "expired"
        assert (company.state, company.stage_states()["c"]) == ("open", "waiting")
        company.decides(DORA)
        assert (company.state, company.stage_states()["c"]) == ("held", "held")
        assert company.requests(EMIL) == []

    def test_resumed_it_has_as_long_again_from_then(self, db: Database) -> None:
        company = agreed(db)
        company.later(days=20)
        company.checks_on_schedule()
        company.resumes()
        assert company.stage_states()["b"] == "open"
        gate = company.gate("condition-1")
        assert (gate["round"], gate["state"], gate["waiting_for"]) == (2, "open", [BEN])
        assert gate["due_at"] == "2026-03-29T21:59:59+00:00"  # seven days on, in summer time by then
        company.sees_to(BEN)
        company.decides(ANNA)
        company.decides(DORA)
        company.decides(EMIL)
        assert company.state == "completed"

    def test_it_can_be_resumed_before_its_stage_opens(self, db: Database) -> None:
        company = agreed(db, Company(db).condition(stage="c"))
        company.later(days=8)
        company.checks_on_schedule()
        company.resumes("he was ill")
        assert (company.state, company.stage_states()["c"]) == ("open", "waiting")
        assert [entry.comment for entry in company.entries("condition.resumed")] == ["he was ill"]
        assert company.gate("condition-1")["state"] == "open"
        company.decides(DORA)
        assert company.stage_states()["c"] == "open"

    def test_it_expires_once_however_often_it_is_looked_at(self, db: Database) -> None:
        company = agreed(db, Company(db).condition(stage="c"))
        company.later(days=8)
        company.checks_on_schedule()
        told = len(company.messages())
        for _ in range(3):
            company.later(minutes=15)
            company.checks()
            company.advance()
        assert len(company.messages()) == told

    def test_one_that_comes_to_be_after_its_day_has_its_days_from_then(self, db: Database) -> None:
        company = agreed(db, source=plan("2"))
        company.later(days=10)
        company.decides(CARLA)
        assert company.gate("condition-1")["due_at"] == "2026-03-19T22:59:59+00:00"

    def test_it_is_reminded_of_every_two_business_days(self, db: Database) -> None:
        company = agreed(db)
        for _ in range(4):
            company.later(days=1)
            company.checks()
        assert len(company.messages("reminder", BEN)) == 2


class TestRefusedByItsAuthor:
    def test_it_holds_its_stage_and_resumed_what_was_done_is_there_to_be_bettered(self, db: Database) -> None:
        company = agreed(db)
        company.sees_to(BEN, "half of it")
        company.later(days=1)
        company.decides(ANNA, "reject", comment="only half")
        assert company.stage_states()["b"] == "held"
        assert [message.topic for message in company.messages("outcome", BEN)] == ["outcome"]
        company.resumes()
        [line] = company.page(company.asked(BEN)).question.to_fill
        assert line.value == "half of it"
        assert company.gate("condition-1")["due_at"] == "2026-03-10T22:59:59+00:00"

    def test_before_its_stage_opens_everybody_reads_what_that_leads_to(self, db: Database) -> None:
        company = agreed(db, Company(db).condition(stage="c"))
        company.sees_to(BEN)
        page = company.decides(ANNA, "reject")
        assert page.settlement is not None
        assert page.settlement.stage_waits
        [message] = company.messages("outcome", BEN)
        with company.db.read() as session:
            mail = Composer(KEYS, "http://x").compose(workspace_for(session, message, company.now), message)
        assert isinstance(mail, OutcomeMail)
        assert str(mail.follows).startswith("Its stage is put on hold as soon as it opens")

    def test_asked_for_changes_it_keeps_its_day(self, db: Database) -> None:
        company = agreed(db)
        company.sees_to(BEN, "half of it")
        company.later(days=1)
        company.decides(ANNA, "request-changes")
        gate = company.gate("condition-1")
        assert (gate["round"], gate["waiting_for"], gate["due_at"]) == (2, [BEN], "2026-03-09T22:59:59+00:00")
        company.sees_to(BEN, "all of it")
        company.decides(ANNA)
        assert company.gate("condition-1")["state"] == "passed"


def test_refusing_and_running_out_of_time_at_once_holds_the_stage_once(db: Database) -> None:
    company = agreed(db)
    company.sees_to(BEN)
    company.later(days=8, minutes=-15)
    company.checks()
    company.later(minutes=15)
    race([company.checks, deciding(company, ANNA, "reject"), company.checks])
    assert company.gate("condition-1")["state"] in ("rejected", "expired")
    assert (company.state, len(company.entries("stage.held"))) == ("held", 1)
