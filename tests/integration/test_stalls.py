"""A stage that takes longer than its plan allows: it is seen to have stalled, and those who can act hear why."""

from __future__ import annotations

from domain.mail_times import Occasion
from domain.reasons import Reason
from models.database import Database
from models.outbox import Message
from operations.attach_flow_run import Painted, attach_flow_run, note_painted
from operations.chart import chart
from operations.describe_rollout import list_rollouts
from operations.explain_rollout import explain_rollout
from tests.company import PEOPLE, REQUESTER, Company
from tests.sample_plans import SIGN_OFF, one_gate

ANNA, BEN, CARLA, DORA, EMIL = (f"{name}@example.com" for name in ("anna", "ben", "carla", "dora", "emil"))
WITH_SPONSOR = PEOPLE.replace("roles:\n", f"roles:\n  sponsor: [{CARLA}]\n")
STALLING = one_gate(f"{SIGN_OFF}, quorum: all, on_reject: hold, waiver: [chair]").replace(
    "    gates:", "    owner: finance\n    stalled_after: 3 business days\n    gates:"
)


def stalled(db: Database) -> Company:
    """A company whose rollout has just stalled, seen an hour late."""
    company = Company(db, directory=WITH_SPONSOR)
    company.start(STALLING, owner=EMIL)
    attach_flow_run(db, company.rollout_id, "a-run")
    company.says(BEN)
    note_painted(db, [Painted(company.rollout_id, "a-run", company.entries()[-1].sequence, [])])
    company.later(days=3, hours=1)
    assert company.checks().stalled == 1
    return company


def reports(company: Company) -> list[Message]:
    """What was told of the stall."""
    return [one for one in company.messages("information") if "stalled" in one.facts["headline"]["text"]]


def said(company: Company, part: str) -> list[str]:
    """Some sentences of the first report."""
    return [str(Reason.from_json(sentence)) for sentence in reports(company)[0].facts[part]]


def test_the_owner_of_the_stage_the_rollouts_and_the_sponsor_hear_it_in_the_morning(db: Database) -> None:
    told = reports(stalled(db))
    assert [one.recipient for one in told] == [DORA, EMIL, CARLA]
    assert {one.occasion for one in told} == {Occasion.MORNING}


def test_the_report_says_what_is_missing_from_whom_and_what_one_could_do(db: Database) -> None:
    company = stalled(db)
    assert said(company, "sentences")[:4] == [
        "It has been open for longer than the plan allows.",
        "Still open: “The gate”.",
        "2 of 3 approvals are missing.",
        "Waits for Anna Keller, Carla Rossi.",
    ]
    assert f'etappe gate waive {company.rollout_id} gate --by {EMIL} --reason "why"' in said(company, "what_to_do")[-2]
    assert said(company, "what_to_do")[-1].endswith(f"etappe rollout explain {company.rollout_id}")


def test_the_report_says_also_that_prefect_does_not_keep_up(db: Database) -> None:
    company = Company(db)
    company.start(STALLING)
    company.later(days=3)
    company.checks()
    behind = "It has no flow run: Prefect does not show it, and nothing of it can run there."
    assert behind in said(company, "sentences")
    assert said(company, "what_to_do")[-2] == "To compare with Prefect now: etappe check-stalled"


def test_it_counts_as_stalled_from_the_moment_that_the_plan_says_until_it_passes(db: Database) -> None:
    company = stalled(db)
    since = "2026-03-05T09:00:00+00:00"
    assert company.rollout()["stages"][0]["stalled_since"] == since
    assert [one["stalled"] for one in list_rollouts(db)] == [["only"]]
    shown = explain_rollout(db, company.rollout_id, company.now)
    [stage] = [one for one in shown.explanations if one.about == "stage"]
    assert str(stage.missing[0]).endswith("and counts as stalled since 2026-03-05 09:00:00+00:00.")
    painted = chart(db, company.rollout_id, company.now)
    assert painted is not None and [line.stalled for line in painted.gates] == [True]
    company.waives(EMIL)
    assert (company.state, company.rollout()["stalled"]) == ("completed", [])
    assert company.rollout()["stages"][0]["stalled_since"] is None


def test_a_stage_that_is_opened_anew_does_not_count_as_stalled_any_more(db: Database) -> None:
    company = stalled(db)
    company.says(ANNA, "reject", comment="no")
    assert (company.state, company.rollout()["stalled"]) == ("held", [])
    company.resumes()
    assert company.rollout()["stages"][0]["stalled_since"] is None
    assert company.checks().stalled == 0
    company.later(days=10)
    assert company.checks().stalled == 1
    assert company.rollout()["stalled"] == ["only"]


def test_without_a_sponsor_nobody_is_missed(db: Database) -> None:
    company = Company(db)
    company.start(STALLING, owner=REQUESTER)
    company.later(days=3)
    company.checks()
    assert [one.recipient for one in reports(company)] == [DORA, REQUESTER]
