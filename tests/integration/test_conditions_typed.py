"""Which conditions can be set where, what has to be typed for one, and what is refused beside its field."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from domain.conditions import TypedCondition
from domain.errors import InvalidInput
from models.database import Database
from tests.company import ANNA, BEN, DORA, EMIL, Company
from tests.with_conditions import WITH_CONDITIONS, agreed, kept, plan


def refused(
    company: Company, *conditions: TypedCondition, person: str = ANNA, decision: str = WITH_CONDITIONS
) -> set[str]:
    """The fields that are wrong when somebody says this; nothing is recorded."""
    with pytest.raises(InvalidInput) as refusal:
        company.decides(person, decision, conditions=conditions)
    assert company.gate("x")["decisions"] == []
    return set(refusal.value.fields)


class TestWhereNothingComesAfter:
    def test_a_yes_with_conditions_is_not_offered_and_refused_with_a_sentence(self, db: Database) -> None:
        company = agreed(db)
        company.sees_to(BEN)
        company.decides(ANNA)
        company.decides(DORA)
        question = company.page(company.asked(EMIL)).question
        assert WITH_CONDITIONS not in question.choices
        assert question.condition_stages == ()
        with pytest.raises(InvalidInput, match="Nothing comes after this stage, so a condition could not be held to"):
            company.decides(EMIL, WITH_CONDITIONS)
        assert company.gate("z")["decisions"] == []

    def test_stages_side_by_side_do_not_come_after_each_other(self, db: Database) -> None:
        company = Company(db)
        company.start(plan().replace("title: Stage B", "title: Stage B\n    needs: []"))
        assert [later.id for later in company.page(company.asked(ANNA)).question.condition_stages] == []
        assert [later.id for later in company.page(company.asked(DORA)).question.condition_stages] == ["c"]

    def test_where_nobody_is_bound_no_conditions_are_taken(self, db: Database) -> None:
        company = Company(db)
        company.start(plan(more=", binding: false"))
        assert WITH_CONDITIONS not in company.page(company.asked(ANNA)).question.choices
        with pytest.raises(InvalidInput, match="binds nobody"):
            company.decides(ANNA, WITH_CONDITIONS)


class TestWhatWasTyped:
    @pytest.mark.parametrize(
        ("typed", "fields"),
        [
            (TypedCondition("", BEN, "2026-03-09"), {"condition-1-what"}),
            (TypedCondition("a\nb", BEN, "2026-03-09"), {"condition-1-what"}),
            (TypedCondition("x", "", "2026-03-09"), {"condition-1-who"}),
            (TypedCondition("x", "Ben {Frei}", "2026-03-09"), {"condition-1-who"}),
            (TypedCondition("x", BEN, ""), {"condition-1-due"}),
            (TypedCondition("x", BEN, "9.3.2026"), {"condition-1-due"}),
            (TypedCondition("x", BEN, "2026-02-30"), {"condition-1-due"}),
            (TypedCondition("x", BEN, "2026-03-01"), {"condition-1-due"}),
            (TypedCondition("x", BEN, "2026-03-09", "a"), {"condition-1-stage"}),
            (TypedCondition("x", BEN, "2026-03-09", "nowhere"), {"condition-1-stage"}),
            (TypedCondition("", "x", "y", "z"), {f"condition-1-{part}" for part in ("what", "who", "due", "stage")}),
            (TypedCondition(), {"condition-1-what"}),
        ],
    )
    def test_is_refused_beside_its_field(self, db: Database, typed: TypedCondition, fields: set[str]) -> None:
        company = Company(db)
        company.start(plan())
        assert refused(company, typed) == fields
        assert kept(company) == []

    def test_is_refused_by_its_own_number(self, db: Database) -> None:
        company = Company(db)
        company.start(plan())
        assert refused(company, company.condition(), TypedCondition(), TypedCondition("x", BEN, "")) == {
            "condition-3-due"
        }

    def test_is_refused_with_a_plain_yes(self, db: Database) -> None:
        company = Company(db)
        company.start(plan())
        assert refused(company, TypedCondition(), company.condition(), decision="approve") == {"condition-2-what"}

    def test_may_be_due_today_until_the_end_of_the_day_in_the_plans_zone(self, db: Database) -> None:
        company = Company(db, now=datetime(2026, 3, 2, 23, 30, tzinfo=UTC))  # the third of March in Zurich
        company.start(plan())
        assert refused(company, TypedCondition("x", BEN, "2026-03-02")) == {"condition-1-due"}
        company.decides(ANNA, WITH_CONDITIONS, conditions=[TypedCondition("x", BEN, "2026-03-03")])
        assert company.gate("condition-1")["due_at"] == "2026-03-03T22:59:59+00:00"
