"""Who may lend a voice, to whom and for how long, and what follows when that begins, ends, or is done by many at once.

What the scheduled check does, it does at the moment itself; a decision is refused at that moment too.
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.errors import GateSettled, InvalidInput, NotAllowed, NotEligible, UnknownDelegation, UnknownPerson
from models.database import Database
from models.delegations import Delegation
from models.requests import RequestState
from operations.record_decision import DecisionForm, record_decision
from tests.company import ANNA, BEN, CARLA, DORA, FRITZ, GINA, HUGO, KEYS, MONDAY, REQUESTER, Company
from tests.integration.test_two_at_once import deciding, race
from tests.lending import ALL, DIRECTORY, DONE, OPEN, OVER, SPOKEN_FOR, states_of
from tests.sample_plans import SIGN_OFF, one_gate


@pytest.fixture
def company(db: Database) -> Company:
    """A company in which Anna has an assistant (Fritz), Gina is administrator, and Hugo holds no role."""
    return Company(db, directory=DIRECTORY)


@pytest.mark.parametrize("by", [ANNA, FRITZ, GINA, "operator"])
def test_it_is_given_by_the_person_their_assistant_an_administrator_or_the_operator(company: Company, by: str) -> None:
    company.start(ALL)
    lent = company.lends(ANNA, HUGO, by=by)
    assert company.asked(HUGO).on_behalf_of == ANNA
    assert company.entries("request.delegated")[0].facts["given_by"] == by
    company.ends(lent, by)
    assert states_of(company, HUGO) == [OVER]


@pytest.mark.parametrize("by", [HUGO, BEN, REQUESTER])
def test_nobody_else_gives_or_ends_it(company: Company, by: str) -> None:
    company.start(ALL)
    with pytest.raises(NotAllowed, match=by):
        company.lends(ANNA, DORA, by=by)
    lent = company.lends(ANNA, DORA)
    with pytest.raises(NotAllowed, match=by):
        company.ends(lent, by)


def test_the_assistant_of_one_is_not_the_assistant_of_another(company: Company) -> None:
    with pytest.raises(NotAllowed):
        company.lends(BEN, HUGO, by=FRITZ)


@pytest.mark.parametrize(
    ("to", "by", "days", "field", "because"),
    [
        ("nobody@example.com", ANNA, 3, "to", "not in the directory"),
        ("nobody", ANNA, 3, "to", "Write an address"),
        (ANNA, ANNA, 3, "to", "to themself"),
        (FRITZ, FRITZ, 3, "to", "give themself the voice"),
        (GINA, GINA, 3, "to", "give themself the voice"),
        (HUGO, ANNA, 0, "until", "over already"),
        (HUGO, ANNA, 367, "until", "a year at most"),
    ],
)
def test_what_cannot_be_given_is_refused_beside_what_is_to_be_corrected(
    company: Company, to: str, by: str, days: int, field: str, because: str
) -> None:
    company.start(ALL)
    with pytest.raises(InvalidInput) as refused:
        company.lends(ANNA, to, by=by, days=days)
    assert because in str(refused.value.fields[field])
    assert company.entries("request.delegated") == []


def test_one_person_has_one_delegation_at_a_time_and_may_give_the_next_when_it_was_ended(company: Company) -> None:
    lent = company.lends(ANNA, HUGO)
    with pytest.raises(InvalidInput, match="lent for some of these days already"):
        company.lends(ANNA, DORA, starts=company.now + timedelta(days=13))
    company.lends(ANNA, DORA, starts=company.now + timedelta(days=14))
    company.later(days=1)
    company.ends(lent, ANNA)
    company.lends(ANNA, DORA, days=3)


def test_who_is_not_in_the_directory_lends_nothing(company: Company) -> None:
    with pytest.raises(UnknownPerson):
        company.lends("guest@example.com", HUGO, by="operator")
    with pytest.raises(UnknownDelegation):
        company.ends(77, "operator")


def test_both_hear_that_it_was_given_and_that_it_was_ended(company: Company) -> None:
    lent = company.lends(ANNA, HUGO, by=GINA)
    company.later(days=1)
    company.ends(lent, GINA)
    assert company.told(ANNA) == ["Hugo Berg answers for you for a time", "Hugo Berg no longer answers for you"]
    assert company.told(HUGO) == ["You answer for Anna Keller for a time", "You no longer answer for Anna Keller"]
    with pytest.raises(InvalidInput, match="over already"):
        company.ends(lent, GINA)


def test_the_check_applies_it_exactly_when_it_begins_and_takes_it_back_exactly_when_it_ends(company: Company) -> None:
    company.start(ALL)
    begins, ends = MONDAY + timedelta(days=1), MONDAY + timedelta(days=3)
    company.lends(ANNA, HUGO, starts=begins, days=2)
    instant = timedelta(microseconds=1)
    seen = []
    for company.now in (begins - instant, begins, ends - instant, ends):
        report = company.checks()
        seen.append((report.delegated, report.taken_back, states_of(company, HUGO)))
    assert seen == [(0, 0, []), (1, 0, [OPEN]), (0, 0, [OPEN]), (0, 1, [OVER])]
    assert company.asked(ANNA).state is RequestState.OPEN
    assert company.actions()[-1] == "request.taken-back"


def test_once_it_is_over_nothing_is_decided_by_it_even_before_the_check_has_run(company: Company) -> None:
    company.lends(ANNA, HUGO, days=2)
    company.start(ALL)
    request = company.asked(HUGO)
    open_page = company.page(request)
    company.later(days=2)
    form = DecisionForm("approve", company.code(request), open_page.digest)
    with pytest.raises(NotEligible, match="no longer answer in the place of anna"):
        record_decision(company.db, KEYS, company.token(request), form, company.now)
    page = company.page(request)
    assert (page.state, page.void_reason) == OVER
    assert company.gate()["decisions"] == []


def test_the_same_holds_by_every_channel(company: Company) -> None:
    company.lends(ANNA, HUGO, days=2)
    company.start(ALL)
    digest = company.page(company.asked(HUGO)).digest
    company.later(days=2)
    with pytest.raises(NotEligible, match="no longer answer"):
        company.says(HUGO, on_behalf_of=ANNA, digest=digest)


def test_what_was_said_while_it_held_counts_when_it_is_over(company: Company) -> None:
    company.lends(ANNA, HUGO, days=2)
    company.start(ALL)
    company.decides(HUGO)
    company.later(days=3)
    company.checks()
    for person in (BEN, CARLA):
        company.decides(person)
    assert company.state == "completed"


def test_a_second_delegation_to_the_same_person_asks_them_again_by_a_new_link(company: Company) -> None:
    company.start(ALL)
    company.ends(company.lends(ANNA, HUGO), ANNA)
    old = company.token(company.requests(HUGO)[0])
    company.later(days=1)
    company.lends(ANNA, HUGO)
    request = company.asked(HUGO)
    assert company.token(request) != old
    company.decides(HUGO)
    assert states_of(company, ANNA, HUGO) == [SPOKEN_FOR, DONE]


def test_a_delegate_who_has_left_is_not_asked(company: Company) -> None:
    company.lends(ANNA, HUGO)
    company.import_people(DIRECTORY.replace("  - {email: hugo@example.com, name: Hugo Berg, language: en}\n", ""))
    company.start(ALL)
    assert company.requests(HUGO) == []
    assert "not in the directory" in company.entries("request.not-delegated")[0].facts["because"]


def test_what_a_crash_left_undone_the_check_does(company: Company) -> None:
    """As if the process had died right after the delegation was stored, before any rollout was looked at."""
    company.start(ALL)
    with company.db.write() as session:
        session.add(Delegation(delegator=ANNA, delegate=HUGO, given_by=ANNA, created_at=company.now,
                               starts_at=company.now, ends_at=company.now + timedelta(days=5)))  # fmt: skip
    assert (company.checks().delegated, company.checks().delegated) == (1, 0)
    assert company.asked(HUGO).on_behalf_of == ANNA


def test_a_rollout_that_asked_without_knowing_of_it_is_mended_by_the_next_check(company: Company) -> None:
    """As if a gate had opened in a transaction that began before the delegation was stored, and ended after it."""
    lent = company.lends(ANNA, HUGO)
    with company.db.write() as session:
        session.get_one(Delegation, lent).ends_at = company.now
    company.start(ALL)
    with company.db.write() as session:
        session.get_one(Delegation, lent).ends_at = company.now + timedelta(days=5)
    company.later(minutes=15)
    assert company.checks().delegated == 1


def test_delegate_and_delegator_at_the_same_moment_are_one_voice(company: Company) -> None:
    company.lends(ANNA, HUGO)
    company.start(one_gate(f"{SIGN_OFF}, quorum: 2"))
    came_back = race([deciding(company, ANNA, "approve"), deciding(company, HUGO, "reject")] * 4)
    assert len(company.gate()["decisions"]) == 1
    assert sum(isinstance(one, GateSettled) for one in came_back) == 4
    assert company.gate()["state"] == "open"


def test_a_delegation_given_many_times_at_once_is_given_once(company: Company) -> None:
    company.start(ALL)
    came_back = race([lambda: company.lends(ANNA, HUGO)] * 6)
    assert sum(isinstance(one, int) for one in came_back) == 1
    assert sum(isinstance(one, InvalidInput) for one in came_back) == 5
    assert len(company.requests(HUGO)) == 1


def test_many_checks_at_once_ask_and_take_back_once(company: Company) -> None:
    company.start(ALL)
    company.lends(ANNA, HUGO, starts=MONDAY + timedelta(days=1), days=1)
    company.later(days=1)
    race([company.checks] * 6)
    company.later(days=1)
    race([company.checks] * 6)
    assert [company.actions().count(f"request.{what}") for what in ("delegated", "taken-back")] == [1, 1]


def test_a_decision_against_the_end_of_the_delegation_ends_in_one_of_the_two(company: Company) -> None:
    lent = company.lends(ANNA, HUGO)
    company.start(ALL)
    decided, _ = race([deciding(company, HUGO, "approve"), lambda: company.ends(lent, ANNA)])
    refused = isinstance(decided, NotEligible | GateSettled)
    assert len(company.gate()["decisions"]) == (0 if refused else 1)
    assert states_of(company, ANNA) == [OPEN if refused else SPOKEN_FOR]
    assert states_of(company, HUGO) == [OVER if refused else DONE]
