"""The bundled plan and its ten factors, by name: for each, what blocks before it is met, and what lets it pass.

With the bundled sample people. One walk at the end goes through the whole plan.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from domain.errors import InvalidInput, QuorumImpossible
from domain.plan import SignOffGate
from models.database import Database
from models.requests import RequestState
from plans.reading import read_plan
from tests.introduction import (
    ADVISER,
    BEN,
    BOARD,
    CHAIR,
    FINANCE,
    FINANCE_HEAD,
    HR,
    JAMES,
    LEAD,
    ORGANISATION,
    PEOPLE,
    PLAN,
    PRIYA,
    SPONSOR,
    STAFFING,
    Introduction,
    open_stages,
)


@pytest.fixture
def company(db: Database) -> Introduction:
    introduction = Introduction(db, directory=PEOPLE)
    introduction.begin()
    return introduction


def test_factor_01_commitment(company: Introduction) -> None:
    """The whole board must say yes; two of three are not enough, and one no holds everything."""
    assert open_stages(company) == {"commitment"}
    for person in BOARD[:2]:
        company.decides(person)
    assert open_stages(company) == {"commitment"}
    company.decides(BOARD[2])
    assert open_stages(company) == {"concept"}


def test_factor_01_commitment_is_missing_as_soon_as_one_of_the_board_says_no(company: Introduction) -> None:
    company.decides(BOARD[0], "reject")
    assert (company.state, company.stage_states()["concept"]) == ("held", "waiting")


def test_factor_01_commitment_is_asked_again_every_ninety_days_and_holds_on_meanwhile(company: Introduction) -> None:
    company.conceive()
    company.later(days=90)
    assert company.checks().renewed == 1
    assert company.gate("executive-sign-off")["waiting_for"] == sorted(BOARD)
    for step in (company.staff, company.fund, company.organise):
        step()
    assert company.stage_states() | {"commitment": "passed", "announcement": "open"} == company.stage_states()
    company.commit()
    assert company.gate("executive-sign-off")["state"] == "passed"
    assert company.rollout()["stages"][0]["round"] == 1


def test_factor_01_commitment_that_is_not_renewed_in_time_keeps_further_stages_closed_and_stops_none(
    company: Introduction,
) -> None:
    company.commit()
    company.later(days=90)
    company.checks()
    company.later(days=21)  # more than ten business days
    company.checks_on_schedule()
    assert CHAIR in company.gate("executive-sign-off")["waiting_for"]  # escalated on the way, as the plan says
    company.resumes(by=LEAD)  # the time box of the concept was over as well
    company.decide_at("concept-review", JAMES)
    company.decide_at("concept-review", HR)
    assert company.stage_states()["concept"] == "passed"
    assert open_stages(company) == set()
    for person in BOARD:
        company.decide_at("executive-sign-off", person)
    assert open_stages(company) == {"staffing", "budget", "organisation", "outside-view", "targets"}


def test_factor_01_commitment_that_is_taken_back_puts_its_stage_on_hold_and_later_ones_go_on(
    company: Introduction,
) -> None:
    company.conceive()
    company.later(days=90)
    company.checks()
    company.decide_at("executive-sign-off", BOARD[0], "reject")
    assert (company.state, company.stage_states()["commitment"]) == ("held", "held")
    company.staff()
    company.fund()
    company.organise()
    assert company.stage_states()["staffing"] == "passed"
    assert company.stage_states()["announcement"] == "waiting"


def test_factor_01_commitment_is_given_in_person() -> None:
    [sign_off] = read_plan(PLAN, "plan.yaml").stages[0].gates
    assert isinstance(sign_off, SignOffGate)
    assert sign_off.delegates is False


def test_factor_02_strategy(company: Introduction) -> None:
    """The concept needs one voice of each side; there is no way to put it off."""
    company.commit()
    company.decide_at("concept-review", JAMES)
    for putting_off in ("hold", "recycle"):
        with pytest.raises(InvalidInput):
            company.decide_at("concept-review", HR, putting_off)
    assert open_stages(company) == {"concept"}
    company.decide_at("concept-review", HR)
    assert open_stages(company) == {"staffing", "budget", "organisation", "outside-view", "targets"}


@pytest.mark.parametrize(("decision", "state"), [("approve", "open"), ("kill", "killed")])
def test_factor_02_strategy_when_the_time_box_is_over_the_sponsor_says_start_or_stop(
    company: Introduction, decision: str, state: str
) -> None:
    company.commit()
    company.decides(HR, "request-changes")
    company.later(days=1)
    company.answers_changes(LEAD, "The channels are named now.")
    company.later(days=20)
    company.checks()
    assert SPONSOR not in company.gate("concept-review")["waiting_for"]  # the clock stood still for a day
    company.later(days=1)
    company.checks()
    assert company.gate("concept-review")["waiting_for"] == [SPONSOR]
    with pytest.raises(InvalidInput):
        company.decides(SPONSOR, "request-changes")
    company.decides(SPONSOR, decision)
    assert company.state == state
    assert (company.stage_states()["concept"] == "passed") is (state == "open")


@pytest.mark.parametrize(
    "too_little",
    [
        {"team": "Lea Brunner", "hours": "Lea Brunner: 40"},
        {"hours": "Lea Brunner: 8\nPriya Nair: 3.5"},
        {"training": "no"},
        {"aptitude": ""},
    ],
)
def test_factor_03_people(company: Introduction, too_little: dict[str, str]) -> None:
    """Fewer than two people, or less than four hours each, is refused; then human resources approve."""
    company.conceive()
    with pytest.raises(InvalidInput):
        company.fill_in("staffing-list", {**STAFFING, **too_little})
    assert company.gate("staffing-list")["waiting_for"] == [LEAD]
    company.fill_in("staffing-list", STAFFING)
    assert company.stage_states()["staffing"] == "open"
    company.decide_at("staffing-list", HR)
    assert company.stage_states()["staffing"] == "passed"


def test_factor_04_money(company: Introduction) -> None:
    """The budget waits for its owner; at the limit nobody else is needed."""
    company.conceive()
    company.staff()
    company.organise()
    assert company.stage_states()["announcement"] == "waiting"
    company.decides(FINANCE)
    assert company.stage_states() | {"budget": "passed", "announcement": "open"} == company.stage_states()


def test_factor_04_money_above_the_limit_needs_the_head_of_finance_as_well(db: Database) -> None:
    company = Introduction(db, directory=PEOPLE)
    company.begin(budget={"Monitoring": "12000", "Campaign": "13000.05"})
    company.conceive()
    company.decide_at("budget-approval", FINANCE)
    assert company.gate("budget-approval")["state"] == "open"
    company.decide_at("budget-approval", FINANCE_HEAD)
    assert company.gate("budget-approval")["state"] == "passed"


def test_factor_04_money_is_refused_at_the_start_when_there_is_none_or_one_person_would_approve_twice(
    db: Database,
) -> None:
    company = Introduction(db, directory=PEOPLE)
    with pytest.raises(InvalidInput):
        company.begin(budget={})
    with pytest.raises(QuorumImpossible):
        company.begin(budget={"Campaign": "25000.01"}, people={"finance-head": [FINANCE]})
    assert company.db_is_empty()


def test_factor_05_stages(company: Introduction) -> None:
    """Wave after wave: none opens before the one before it has passed, measured and reviewed."""
    company.prepare()
    company.pilot()
    assert open_stages(company) == {"wave-one"}
    company.measures("hours-to-answer", "20", "40")
    company.decide_at("wave-one-review", JAMES, lessons="One voice.")
    assert open_stages(company) == {"wave-one"}
    company.decide_at("wave-one-review", SPONSOR, lessons="Keep going.")
    assert open_stages(company) == {"wave-two"}
    company.wave_two()
    assert open_stages(company) == {"wave-three"}


def test_factor_05_stages_a_wave_that_does_not_carry_goes_back(company: Introduction) -> None:
    company.prepare()
    company.pilot()
    company.wave_one()
    company.measures("engagement-rate", "3.5", "900")
    for person in (JAMES, PRIYA):
        company.decide_at("wave-two-review", person, "recycle", lessons="Wave one was too thin.")
    assert open_stages(company) == {"wave-one"}
    company.wave_one()
    company.wave_two()
    assert open_stages(company) == {"wave-three"}


def test_factor_04_a_change_of_the_lines_makes_the_approval_lapse(company: Introduction) -> None:
    """Approved at 20 000; at 26 000 the budget owner is asked again, and the head of finance as well."""
    company.conceive()
    company.decide_at("budget-approval", FINANCE)
    passed = company.gate("budget-approval")
    company.changes(by=LEAD, budget={"Monitoring": "12000", "Campaign": "14000"})
    assert (passed["state"], company.gate("budget-approval")["state"]) == ("passed", "open")
    assert [voice for voice, _ in company.lapsed()] == [FINANCE]
    assert set(company.gate("budget-approval")["waiting_for"]) == {FINANCE, FINANCE_HEAD}


@pytest.mark.parametrize(
    "missing", [{"responsible": ""}, {"team": "Lea Brunner"}, {"meetings-per-month": "1"}, {"continuity": ""}]
)
def test_factor_06_organisation(company: Introduction, missing: dict[str, str]) -> None:
    """Somebody responsible, a team, a rhythm, and what happens in absences; then the sponsor approves."""
    company.conceive()
    with pytest.raises(InvalidInput):
        company.fill_in("organisation-list", {**ORGANISATION, **missing})
    company.fill_in("organisation-list", ORGANISATION)
    assert company.gate("organisation-list")["waiting_for"] == [SPONSOR]
    company.decide_at("organisation-list", SPONSOR)
    assert company.stage_states()["organisation"] == "passed"


def test_factor_06_organisation_is_asked_again_every_180_days_and_shown_as_it_was(company: Introduction) -> None:
    company.conceive()
    company.organise()
    company.later(days=181)
    company.checks()
    gate = company.gate("organisation-list")
    assert (gate["renewal"], gate["waiting_for"], company.stage_states()["organisation"]) == (True, [LEAD], "passed")
    asked = company.requests(LEAD, RequestState.OPEN)
    [page] = [page for page in map(company.page, asked) if page.question.gate_key == "organisation-list"]
    assert {entry.item.id: entry.value for entry in page.question.to_fill} == ORGANISATION
    company.fill_in("organisation-list", {**ORGANISATION, "team": "Priya Nair\nMarco Huber"})
    assert company.gate("organisation-list")["waiting_for"] == [SPONSOR]
    company.decide_at("organisation-list", SPONSOR)
    assert (company.gate("organisation-list")["state"], company.gate("organisation-list")["round"]) == ("passed", 2)


def test_factor_07_pilot(company: Introduction) -> None:
    """The pilot needs its measured target, a majority, and what was learned."""
    company.prepare()
    assert open_stages(company) == {"pilot"}
    with pytest.raises(InvalidInput):
        company.decide_at("pilot-review", JAMES)
    company.decide_at("pilot-review", JAMES, lessons="Answer faster.")
    company.decide_at("pilot-review", HR, lessons="Ask before.")
    assert open_stages(company) == {"pilot"}
    company.measures("pilot-satisfaction", "70", "10")
    assert open_stages(company) == {"wave-one"}


@pytest.mark.parametrize(("choice", "state"), [("hold", "held"), ("recycle", "open"), ("kill", "killed")])
def test_factor_07_pilot_can_come_to_hold_recycle_or_kill(company: Introduction, choice: str, state: str) -> None:
    company.prepare()
    for person in (JAMES, PRIYA):
        company.decide_at("pilot-review", person, choice, lessons="Not yet.")
    assert company.state == state
    assert company.stage_states()["wave-one"] == ("skipped" if choice == "kill" else "waiting")
    assert company.gate("pilot-review")["round"] == (2 if choice == "recycle" else 1)


def test_factor_08_targets_that_are_revised_make_later_approvals_lapse(company: Introduction) -> None:
    """A sharper target asks again whoever agreed to it, and whoever reviewed the pilot by it."""
    company.prepare()
    company.decide_at("pilot-review", JAMES, lessons="Answer faster.")
    company.changes(by=LEAD, **{"satisfaction-target": "80"})
    assert {voice for voice, _ in company.lapsed()} == {SPONSOR, PRIYA, JAMES}
    assert company.gate("targets-approval")["waiting_for"]
    company.measures("pilot-satisfaction", "75", "10")
    assert company.gate("pilot-satisfaction")["round"] == 2, "what was enough for 70 is not for 80"


def test_factor_08_measures(company: Introduction) -> None:
    """The targets are approved first; then too few, too old and too little do not pass, and what meets them does."""
    company.conceive()
    company.decide_at("targets-approval", JAMES)
    assert company.stage_states()["targets"] == "open"
    company.decide_at("targets-approval", SPONSOR)
    for step in (company.staff, company.fund, company.organise, company.advise, company.announce):
        step()
    company.measures("pilot-satisfaction", "90", "9")
    company.measures("pilot-satisfaction", "90", "30", measured_at=company.now - timedelta(days=60))
    assert company.gate("pilot-satisfaction")["state"] == "open"
    company.measures("pilot-satisfaction", "69.9", "30")
    assert company.gate("pilot-satisfaction")["round"] == 2
    company.measures("pilot-satisfaction", "70", "30")
    assert company.gate("pilot-satisfaction")["state"] == "passed"


def test_factor_09_internal_marketing(company: Introduction) -> None:
    """Four of five must have read the announcement; who tries something already can say so there."""
    for step in (company.conceive, company.staff, company.fund, company.organise, company.advise, company.target):
        step()
    company.pilot()
    for person in (BEN, JAMES, FINANCE):
        company.decide_at("announcement-read", person, comment="We post pictures already.")
    assert company.stage_states() | {"announcement": "open", "wave-one": "waiting"} == company.stage_states()
    company.decide_at("announcement-read", PRIYA)
    assert company.stage_states() | {"announcement": "passed", "wave-one": "open"} == company.stage_states()
    assert company.gate("announcement-read")["decisions"][0]["comment"] == "We post pictures already."


def test_factor_10_sparring_partner(company: Introduction) -> None:
    """The adviser has no account, must be heard before the pilot, and does not stop it with a no."""
    for step in (company.conceive, company.staff, company.fund, company.organise, company.target):
        step()
    assert company.stage_states()["pilot"] == "waiting"
    company.decides(ADVISER, "reject", comment="Too many channels at once.")
    assert company.stage_states() | {"outside-view": "passed", "pilot": "open"} == company.stage_states()
    assert company.gate("adviser-review")["decisions"][0]["comment"] == "Too many channels at once."


def test_the_whole_plan_is_walked_through_to_its_end(company: Introduction) -> None:
    steps: list[Callable[[], None]] = [
        company.commit, lambda: company.decide_at("concept-review", PRIYA),
        lambda: company.decide_at("concept-review", HR),
        company.staff, company.fund, company.organise, company.advise, company.target, company.announce, company.pilot,
        company.wave_one, company.wave_two, company.wave_three,
    ]  # fmt: skip
    for step in steps:
        assert company.state == "open"
        company.later(days=1)
        company.checks()
        step()
    assert company.state == "completed"
    assert set(company.stage_states().values()) == {"passed"}
