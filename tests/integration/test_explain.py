"""“Why is this stuck?”: for everything that does not go on, a sentence of what is missing, from whom, what comes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from domain.errors import UnknownRollout
from models.absences import Absence
from models.database import Database
from models.rollouts import Rollout
from operations.explain_rollout import describe_explanation, explain_rollout
from operations.settle_message import try_again_later
from tests.company import MONDAY, REQUESTER, Company
from tests.sample_plans import LATER, SIGN_OFF, one_gate

ANNA, BEN, CARLA = "anna@example.com", "ben@example.com", "carla@example.com"
DORA, EMIL = "dora@example.com", "emil@example.com"
CHECKLIST = 'kind: checklist, question: "Who?", filled_by: finance, items: [{id: who, title: Who, kind: text}]'
VALUE = "kind: measurement, metric: visits, at_least: 10, measured_by: finance"
RUN = "kind: run, deployment: shift-traffic/sample"

LAST = LATER.replace("id: later", "id: end").replace("id: last,", "id: finish,")

NOTHING = "Nothing comes by itself here; it waits until somebody answers."
REFUSED = "May not know of it, as the mail was refused for good: Ben Frei. The answer was: no such mailbox"


def exclusive(title: str) -> str:
    """A plan whose stage needs something for itself."""
    return one_gate(f"{SIGN_OFF}, quorum: any").replace("title: Only stage", f"title: {title}\n    exclusive: market")


def explained(company: Company) -> list[dict[str, Any]]:
    """What is explained of the rollout that is talked about."""
    shown = explain_rollout(company.db, company.rollout_id, company.now)
    found: list[dict[str, Any]] = describe_explanation(shown)["explanations"]
    return found


def sentences(company: Company, about: str = "gate", key: str = "") -> list[str]:
    """All the sentences about the rollout, its stages or its gates."""
    found = [one for one in explained(company) if one["about"] == about and key in ("", one["id"])]
    return [said for one in found for said in (*one["missing"], *one["next"])]


def ways_out(company: Company) -> list[str]:
    """Every command that is shown."""
    return [way["command"] for one in explained(company) for way in one["ways_out"]]


def is_away(company: Company, person: str, days: int = 10) -> None:
    """Let somebody be away from now on."""
    ends_at = company.now + timedelta(days=days)
    with company.db.write() as session:
        session.add(Absence(person=person, starts_at=company.now, ends_at=ends_at, entered_by=person,
                            created_at=company.now))  # fmt: skip


def wants_changes(company: Company) -> None:
    company.says(BEN, "request-changes", comment="more numbers")


def fills_in(company: Company) -> None:
    company.fills_in(DORA, {"who": "all of us"})


def rejects(company: Company) -> None:
    company.says(ANNA, "reject", comment="too early")


def nothing(company: Company) -> None:
    """Only start it."""


@pytest.mark.parametrize(
    ("gate", "happens", "expected"),
    [
        (f"{SIGN_OFF}, quorum: all", nothing, ["3 of 3 approvals are missing."]),
        (f"{SIGN_OFF}, quorum: 2", lambda company: company.says(BEN), ["1 of 2 approvals is missing."]),
        (f"{SIGN_OFF}, quorum: any", nothing, ["The one approval that it takes is missing."]),
        (
            f"{SIGN_OFF}, quorum: any",
            wants_changes,
            [
                "Changes are asked for; until the owner answers, its clock stands still, since "
                "Monday, 2 March 2026, 10:00.",
                "The clock stands still until those who look after this have answered the request for changes.",
            ],
        ),
        (CHECKLIST, nothing, ["The list is not filled in yet."]),
        (f"{CHECKLIST}, approvers: [board]", fills_in, ["3 of 3 approvals are missing."]),
        (VALUE, nothing, ["A value of “visits” is missing.", "No value has been measured yet."]),
        (
            'kind: acknowledgement, text: "Read", audience: [staff], share: 100 %',
            nothing,
            ["4 of 4 confirmations are missing."],
        ),
        (
            'kind: window, weekdays: [friday], hours: "09:00-17:00"',
            nothing,
            ["Opens on Friday, 6 March 2026, 09:00."],
        ),
        ("kind: check, signed_with: ci", nothing, ["Waits for “ci” to say pass or fail."]),
        (RUN, nothing, ["Its flow run is about to be started."]),
        (
            f"{SIGN_OFF}, quorum: all, on_reject: hold",
            rejects,
            [
                "It did not pass; somebody has to decide how to go on.",
                "the 3 needed voices can no longer be reached",
            ],
        ),
    ],
)
def test_an_open_gate_says_what_is_missing(
    db: Database, gate: str, happens: Callable[[Company], object], expected: list[str]
) -> None:
    company = Company(db)
    company.start(one_gate(gate))
    happens(company)
    assert [said for said in sentences(company) if said != NOTHING] == expected


def test_where_nothing_comes_by_itself_it_says_so(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(f"{SIGN_OFF}, quorum: any"))
    [one] = explained(company)
    assert one["next"] == [NOTHING]


def test_a_promise_says_what_is_not_done_and_once_overdue_that_it_will_stop_its_stage(db: Database) -> None:
    company = Company(db)
    beside = f"      - {{id: beside, title: Beside, {SIGN_OFF}, quorum: any}}"
    company.start(one_gate(f"{SIGN_OFF}, quorum: any") + beside + LATER)
    company.says(ANNA, "approve-with-conditions", conditions=[company.condition()])
    [promise] = [one for one in explained(company) if one["stage"] == "later"]
    assert promise["missing"] == ["What was promised is not done yet: check the texts"]
    assert [person["email"] for person in promise["people"]] == [BEN]
    company.later(days=9)
    company.checks_on_schedule()
    [stage] = sentences(company, "stage")
    assert stage.startswith("It is put on hold as soon as it opens, because this did not pass: ")
    assert f'etappe rollout resume {company.rollout_id} --reason "what has changed"' in ways_out(company)


def test_a_gate_that_comes_after_others_says_after_which(db: Database) -> None:
    company = Company(db)
    after = f"      - {{id: after, title: After, {SIGN_OFF}, quorum: any, ask_after: [gate]}}"
    company.start(one_gate(f"{SIGN_OFF}, quorum: any") + after)
    assert sentences(company, key="after") == ["Is asked after: The gate."]


def test_it_says_what_comes_by_itself_in_the_order_of_coming(db: Database) -> None:
    company = Company(db)
    more = "remind: every 2 business days, escalate: [{after: 5 days, to: chair}], expires: {after: 9 days}"
    plan = one_gate(f"{SIGN_OFF}, quorum: all, {more}")
    company.start(plan.replace("    gates:", "    stalled_after: 3 business days\n    gates:"))
    [one] = explained(company)
    assert one["next"] == [
        "On Wednesday, 4 March 2026, 10:00 whoever has not answered is reminded.",
        "If its stage is still open on Thursday, 5 March 2026, 10:00, it counts as stalled; those who look after it "
        "then hear why.",
        "On Saturday, 7 March 2026, 10:00 it is escalated; asked as well from then on: Emil Vogt.",
        "Its time is up on Wednesday, 11 March 2026, 10:00: the stage is then put on hold.",
    ]
    assert (one["stage"], one["since"], one["due_at"]) == ("only", MONDAY.isoformat(), "2026-03-11T09:00:00+00:00")


def test_it_says_who_is_away_until_when_who_answers_for_them_and_who_may_not_know(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(f"{SIGN_OFF}, quorum: all"))
    company.mails_arrive(BEN)
    is_away(company, ANNA)
    is_away(company, CARLA)
    company.lends(CARLA, EMIL)
    [people] = [one["people"] for one in explained(company) if one["about"] == "gate"]
    assert {
        one["email"]: (one["away_until"], one["delegate"], one["on_behalf_of"], one["unaware"]) for one in people
    } == {
        ANNA: ("2026-03-12", None, None, None),
        BEN: (None, None, None, REFUSED),
        CARLA: ("2026-03-12", "Emil Vogt", None, None),
        EMIL: (None, None, "Carla Rossi", None),
    }


def test_whoever_cannot_answer_comes_first_when_somebody_else_could_be_asked(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(f"{SIGN_OFF}, quorum: all, waiver: [chair], escalate: [{{after: 5 days, to: chair}}]"))
    is_away(company, BEN)
    here = f"{company.rollout_id} gate"
    assert ways_out(company) == [
        f'etappe gate reassign {here} --from {BEN} --to {EMIL} --reason "why"',
        f'etappe gate reassign {here} --from {ANNA} --to {EMIL} --reason "why"',
        f'etappe gate reassign {here} --from {CARLA} --to {EMIL} --reason "why"',
        f'etappe gate escalate {here} --reason "why"',
        f'etappe gate waive {here} --by {EMIL} --reason "why"',
    ]


def test_somebody_who_got_a_later_mail_knows(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(f"{SIGN_OFF}, quorum: any, remind: every 1 day"))
    company.mails_arrive(ANNA)
    company.later(days=1)
    company.checks()
    company.mails_arrive()
    assert [one["unaware"] for explanation in explained(company) for one in explanation["people"]] == [None] * 3


def test_a_stage_on_hold_says_because_of_what_and_how_it_goes_on(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(f"{SIGN_OFF}, quorum: all, on_reject: hold"))
    rejects(company)
    is_away(company, REQUESTER)
    [stage] = [one for one in explained(company) if one["about"] == "stage"]
    assert stage["missing"] == ["On hold, because this did not pass: The gate."]
    assert [(one["email"], one["away_until"]) for one in stage["people"]] == [(REQUESTER, "2026-03-12")]
    assert f'etappe rollout resume {company.rollout_id} --reason "what has changed"' in ways_out(company)


def test_a_stage_that_waits_for_its_turn_says_who_has_it(db: Database) -> None:
    company = Company(db)
    first = company.start(exclusive("Campaign"), title="The first")
    company.start(exclusive("Campaign"))
    expected = f"“Campaign” waits for “market”, used by “The first” ({first}). Place 1."
    assert sentences(company, "stage") == [expected]
    assert f"etappe rollout explain {first}" in ways_out(company)


def test_a_stage_kept_closed_by_an_overdue_renewal_says_by_which(db: Database) -> None:
    company = Company(db)
    again = "renew: {every: every 2 days, within: 1 day, blocks_new_stages: true}"
    company.start(one_gate(f"{SIGN_OFF}, quorum: any, {again}") + LATER + LAST)
    company.says(ANNA)
    company.later(days=2)
    company.checks_on_schedule()
    assert "It asks again what has passed; that holds on meanwhile." in sentences(company, key="gate")
    company.later(days=2)
    company.checks_on_schedule()
    company.says(DORA, gate="last")
    assert sentences(company, "stage") == ["It does not open before this is renewed: The gate."]


def test_a_gate_at_which_nobody_can_be_asked_says_why_and_how_to_mend_it(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(f"{SIGN_OFF}, quorum: any") + LATER)
    company.import_people(company.directory.replace("  finance: [dora@example.com]\n", ""))
    company.says(ANNA)
    asked = sentences(company, key="last")
    assert asked[0].startswith("Nobody can be asked: ")
    assert asked[1].startswith("Put the people into the directory file and import it again")


def test_what_waits_for_its_day_or_has_ended_says_so(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(f"{SIGN_OFF}, quorum: any"), start_on=(MONDAY + timedelta(days=3)).date())
    assert sentences(company, "rollout") == ["It begins on 5 March 2026, and until then nobody is asked."]
    company.start(one_gate(f"{SIGN_OFF}, quorum: any"))
    company.says(ANNA)
    company.mails_arrive()
    assert sentences(company, "rollout") == ["Every stage has passed; it was completed on Monday, 2 March 2026, 10:00."]
    company.start(one_gate(f"{SIGN_OFF}, quorum: any"))
    company.cancels("no longer wanted")
    company.mails_arrive()
    assert sentences(company, "rollout") == ["It was called off on Monday, 2 March 2026, 10:00: no longer wanted"]


def is_refused(company: Company) -> None:
    company.mails_arrive(REQUESTER)


def is_tried(company: Company) -> None:
    try_again_later(company.db, [one.id for one in company.messages()], "450 busy", company.now)


def changes(**columns: Any) -> Callable[[Company], None]:
    """Put something into the rollout's row that no rule would."""

    def change(company: Company) -> None:
        with company.db.write() as session:
            rollout = session.get_one(Rollout, company.rollout_id)
            for name, value in columns.items():
                setattr(rollout, name, value)

    return change


MOMENT = "Monday, 2 March 2026, 10:00"


@pytest.mark.parametrize(
    ("goes_wrong", "expected"),
    [
        (is_refused, f"A mail to {REQUESTER} was refused for good: no such mailbox"),
        (is_tried, f"Mails not delivered yet: 8, the first since {MOMENT}. The last try said: 450 busy"),
        (nothing, f"Mails not delivered yet: 8, the first since {MOMENT}. Nobody has tried: is the relay running?"),
        (nothing, "It has no flow run: Prefect does not show it, and nothing of it can run there."),
        (
            changes(flow_run_id="a-run", wake_at=MONDAY),
            f"Its flow run was to be woken on {MOMENT}, and has not done its part since.",
        ),
        (changes(flow_run_id="a-run"), f"Prefect's page of it does not show what has happened since {MOMENT}."),
        (
            nothing,
            f"The scheduled check has not run since {MOMENT}; without it nobody is reminded, nothing is escalated and "
            "nothing expires.",
        ),
    ],
)
def test_what_looks_fine_and_is_not_is_said_once_it_has_taken_too_long(
    db: Database, goes_wrong: Callable[[Company], object], expected: str
) -> None:
    company = Company(db)
    company.start(one_gate(f"{SIGN_OFF}, quorum: 2, remind: every 3 days"), owner=EMIL)
    company.says(ANNA, "request-changes", comment="more numbers")
    goes_wrong(company)
    before = sentences(company, "rollout")
    company.later(hours=1)
    after = sentences(company, "rollout")
    assert after.count(expected) == 1
    assert expected not in before or goes_wrong is is_refused


def test_a_rollout_that_has_ended_still_says_which_mail_has_not_arrived(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(f"{SIGN_OFF}, quorum: any"))
    company.mails_arrive()
    company.says(ANNA)
    company.mails_arrive(REQUESTER)
    assert sentences(company, "rollout")[1] == f"A mail to {REQUESTER} was refused for good: no such mailbox"


def test_there_is_no_explanation_of_what_there_is_not(db: Database) -> None:
    with pytest.raises(UnknownRollout):
        explain_rollout(db, "nothing", MONDAY)
