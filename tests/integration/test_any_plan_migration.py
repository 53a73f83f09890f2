"""Whatever a plan becomes: no approval counts for what it was not given for, and nothing is left over."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from models.database import Database
from models.evidence import Evidence, standing_decisions_at
from models.gates import GateRow
from models.requests import RequestState
from models.rollouts import StageRow
from operations.migration import described
from operations.verify_record import verify_record
from tests.company import ANNA, BEN, CARLA, DORA, Company
from tests.migrating import everything, gate, plan, stage

KEYS_OF_GATES = ("a", "b", "c")
STAGES = ("one", "two")
GATES = st.fixed_dictionaries(
    {
        "question": st.sampled_from(["Yes?", "Really?"]),
        "approvers": st.sampled_from(["board", "finance"]),
        "quorum": st.sampled_from(["any", "all"]),
        "stage": st.sampled_from(STAGES),
        "title": st.sampled_from(["This", "That"]),
    }
)
PLANS = st.dictionaries(st.sampled_from(KEYS_OF_GATES), GATES, min_size=1)


def written(gates: dict[str, dict[str, str]]) -> str:
    """A plan of these gates, each in its stage."""
    stages = {
        name: [
            gate(key, question=one["question"], approvers=one["approvers"], quorum=one["quorum"]).replace(
                f"title: Gate {key}", f"title: {one['title']} {key}"
            )
            for key, one in gates.items()
            if one["stage"] == name
        ]
        for name in STAGES
    }
    return plan(*(stage(name, *inside) for name, inside in stages.items() if inside))


def approve_something(company: Company) -> bool:
    """Let the first person who is asked approve what they were asked first. Returns whether there was anybody."""
    waiting = [row for person in (ANNA, BEN, CARLA, DORA) for row in company.requests(person, RequestState.OPEN)]
    for request in waiting[:1]:
        company.decides(request.person, request=request)
    return bool(waiting)


class TestWhateverBecomesOfAPlan:
    """Any plan, approved for a while, goes over to any other."""

    @pytest.mark.slow
    @settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(old=PLANS, new=PLANS, approvals=st.integers(0, 6))
    def test_no_approval_counts_for_what_it_was_not_given_for(
        self, db: Database, old: dict[str, dict[str, str]], new: dict[str, dict[str, str]], approvals: int
    ) -> None:
        company = Company(db)
        company.start(written(old))
        for _ in range(approvals):
            approve_something(company)
        if company.state == "completed":
            return
        before = everything(db)
        assert company.migrates(written(old)).migration.changes_nothing
        seen = company.would_migrate(written(new))
        assert everything(db) == before
        assert described(company.migrates(written(new))) == described(seen)
        self.every_gate_has_one_newest_round(company, new)
        self.what_counts_was_given_for_this(company, new)
        while approve_something(company):
            self.what_counts_was_given_for_this(company, new)
        assert company.state == "completed"
        assert all(report.holds for report in verify_record(db))

    def every_gate_has_one_newest_round(self, company: Company, new: dict[str, dict[str, str]]) -> None:
        with company.db.read() as session:
            mine = GateRow.rollout_id == company.rollout_id, GateRow.current
            newest = {row.key: row.stage_id for row in session.scalars(select(GateRow).where(*mine))}
            stages = select(StageRow).where(StageRow.rollout_id == company.rollout_id, StageRow.current)
            homes = {row.id: row.key for row in session.scalars(stages)}
            rows = session.scalars(select(GateRow.key).where(*mine)).all()
        assert sorted(rows) == sorted(new)
        assert {key: homes[stage_id] for key, stage_id in newest.items()} == {
            key: one["stage"] for key, one in new.items()
        }

    def what_counts_was_given_for_this(self, company: Company, new: dict[str, dict[str, str]]) -> None:
        """Reckoned from what was kept of what people were shown."""
        holders = {"board": {ANNA, BEN, CARLA}, "finance": {DORA}}
        with company.db.read() as session:
            mine = GateRow.rollout_id == company.rollout_id, GateRow.current
            for row in session.scalars(select(GateRow).where(*mine)).all():
                words = session.scalars(standing_decisions_at(row.id)).all()
                shown = [session.get_one(Evidence, word.pinned[row.key]).content["question"]["en"] for word in words]
                assert set(shown) <= {new[row.key]["question"]}
                approved = {word.person for word in words}
                needed = holders[new[row.key]["approvers"]]
                assert approved <= needed
                if row.state == "passed":
                    assert approved == needed if new[row.key]["quorum"] == "all" else approved
