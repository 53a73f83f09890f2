"""Where measured values come from beside people: files, all or none, and databases that are only ever read."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from domain.errors import InvalidFile, InvalidInput
from domain.measurement import Value
from models.database import Database
from operations.change_inputs import change_inputs
from operations.record_measurements import Row, record_measurements
from operations.workspace import Actor
from tests.company import KEYS, REQUESTER, Company
from tests.sample_plans import one_gate

MEASURED = "kind: measurement, metric: hits, at_least: 70"
DORA = "dora@example.com"


class TestHoldsFor:
    PLAN = one_gate(f"{MEASURED}, measured_by: finance, holds_for: 2 days")

    def test_the_gate_passes_by_itself_once_the_time_is_full(self, db: Database) -> None:
        company = Company(db)
        company.start(self.PLAN)
        company.measures("hits", "80")
        assert company.gate()["waits"] == [
            "The target is met, and must go on being met until Wednesday, 4 March 2026, 10:00."
        ]
        company.later(days=2, minutes=-1)
        company.checks()
        assert company.gate()["state"] == "open"
        company.later(minutes=1)
        company.checks()
        assert company.state == "completed"

    def test_a_value_that_misses_meanwhile_holds_and_the_time_begins_anew(self, db: Database) -> None:
        company = Company(db)
        company.start(self.PLAN)
        company.measures("hits", "80")
        company.later(days=1)
        company.measures("hits", "69")
        assert company.state == "held"
        company.later(hours=1)
        company.measures("hits", "90")
        assert (company.state, company.gate()["round"]) == ("open", 2)
        company.later(days=1, hours=23)
        company.checks()
        assert company.gate()["state"] == "open"
        company.later(hours=1)
        company.checks()
        assert company.state == "completed"

    def test_a_history_that_is_brought_afterwards_counts(self, db: Database) -> None:
        company = Company(db)
        company.start(self.PLAN)
        company.measures("hits", "80")
        company.measures("hits", "75", measured_at=company.now - timedelta(days=3))
        assert company.state == "completed"
        [entry] = company.entries("gate.passed")
        assert entry.facts["because"] == "80 was measured, and every value of the last 2 days was at least 70."

    def test_an_older_value_that_comes_later_does_not_take_the_place_of_a_newer_one(self, db: Database) -> None:
        company = Company(db)
        company.start(one_gate(f"{MEASURED}, minimum_sample: 10"))
        company.measures("hits", "10", "9")
        company.measures("hits", "90", "50", measured_at=company.now - timedelta(days=3))
        assert company.gate()["state"] == "open"


class TestTargetsFromInputs:
    GATE = "kind: measurement, metric: hits, measured_by: finance, at_least: {input: goal}"

    def plan(self, goal: str) -> str:
        return one_gate(self.GATE).replace("inputs:\n", f"inputs:\n  goal: {{kind: number, {goal}}}\n")

    @pytest.mark.parametrize(("value", "state"), [("79.99", "held"), ("80", "completed")])
    def test_the_target_is_what_the_rollout_was_started_with(self, db: Database, value: str, state: str) -> None:
        company = Company(db)
        company.start(self.plan("required: true"), inputs={"goal": "80"})
        company.measures("hits", value)
        assert company.state == state

    def test_or_what_the_plan_says_when_nothing_was_given(self, db: Database) -> None:
        company = Company(db)
        company.start(self.plan("default: 70.5"))
        assert company.page(company.asked(DORA)).question.target == "≥ 70.5"
        company.measures("hits", "70.4")
        assert company.state == "held"

    def test_without_any_nothing_is_started(self, db: Database) -> None:
        company = Company(db)
        with pytest.raises(InvalidInput, match="goal"):
            company.start(self.plan("required: true"))
        assert company.db_is_empty()

    def test_a_target_that_was_changed_holds_from_then_on(self, db: Database) -> None:
        company = Company(db)
        company.start(
            self.plan("default: 70").replace("measured_by: finance", "measured_by: finance, holds_for: 1 day")
        )
        company.measures("hits", "75", measured_at=company.now - timedelta(days=2))
        assert company.state == "completed"
        company.start(
            self.plan("default: 70").replace("measured_by: finance", "measured_by: finance, minimum_sample: 5")
        )
        company.measures("hits", "65", "4")
        change_inputs(
            db, KEYS, company.rollout_id, {"goal": "60"}, "too high", Actor(REQUESTER, "command"), company.now
        )
        assert company.gate()["state"] == "open"
        company.measures("hits", "65", "5")
        assert company.state == "completed"


class TestFiles:
    """All rows or none."""

    def rows(self, company: Company, *rows: tuple[str, str, str]) -> list[Row]:
        return [Row(line, rollout or company.rollout_id, metric, Value(Decimal(value), None, company.now))
                for line, (rollout, metric, value) in enumerate(rows, start=2)]  # fmt: skip

    def record(self, company: Company, *rows: tuple[str, str, str]) -> int:
        actor = Actor("operator", "command")
        return record_measurements(company.db, KEYS, "hits.csv", self.rows(company, *rows), actor, company.now)

    def test_every_row_is_recorded_in_its_rollout(self, db: Database) -> None:
        company = Company(db)
        first = company.start(one_gate(MEASURED))
        second = company.start(one_gate(MEASURED))
        assert self.record(company, (first, "hits", "90"), (second, "hits", "12.50"), (first, "hits", "91")) == 2
        assert company.state == "held"
        company.rollout_id = first
        assert company.state == "completed"
        assert [entry.facts["value"] for entry in company.entries("measurement.recorded")] == ["90", "91"]

    def test_what_follows_follows_from_all_of_them_together(self, db: Database) -> None:
        company = Company(db)
        company.start(one_gate(MEASURED))
        self.record(company, ("", "hits", "12"), ("", "hits", "90"))
        assert (company.state, company.gate()["round"]) == ("completed", 1)

    def test_every_bad_row_is_named_and_nothing_recorded(self, db: Database) -> None:
        company = Company(db)
        good = company.start(one_gate(MEASURED))
        before = company.entries()[-1].sequence
        with pytest.raises(InvalidFile) as refusal:
            self.record(company, (good, "hits", "90"), (good, "hit", "90"), ("nowhere", "hits", "90"))
        lines = [(problem.line, problem.sentence) for problem in refusal.value.problems]
        assert [line for line, _ in lines] == [3, 4]
        assert "did you mean “hits”" in lines[0][1]
        assert "There is no rollout “nowhere”" in lines[1][1]
        assert (company.state, company.entries()[-1].sequence) == ("open", before)
