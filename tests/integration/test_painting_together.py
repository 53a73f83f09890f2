"""Several of Prefect's pages are drawn, and noted as painted, with as few statements as one of them."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Connection, event, text
from sqlalchemy.orm import Session

from models.database import Database
from models.prefect_page import Bar
from models.rollouts import Rollout, locked_rollouts, rollout_locked
from operations.attach_flow_run import Painted, attach_flow_run, note_painted
from operations.chart import chart, charts
from tests.company import ANNA, BEN, Company
from tests.integration.test_check_costs import counted
from tests.sample_plans import SIGN_OFF, one_gate

PLAN = one_gate(f"{SIGN_OFF}, quorum: all")


@pytest.fixture
def company(db: Database) -> Company:
    return Company(db)


def rollouts(company: Company, count: int) -> list[str]:
    """Rollouts that each have a flow run; somebody has decided in each."""
    found = []
    for _ in range(count):
        company.start(PLAN)
        company.says(BEN)
        attach_flow_run(company.db, company.rollout_id, run_of(company.rollout_id))
        found.append(company.rollout_id)
    return found


def run_of(rollout_id: str) -> str:
    return f"run-{rollout_id}"


def painted(db: Database, rollout_id: str) -> int:
    with db.read() as session:
        return session.get_one(Rollout, rollout_id).painted


def page(rollout_id: str, sequence: int, state: str = "open", flow_run_id: str = "") -> Painted:
    """A page on which the bar of one stage is in this state."""
    bar = Bar(flow_run_id=flow_run_id or run_of(rollout_id), subject="stage", subject_id=1, rollout_id=rollout_id,
              task_run_id="a-task-run", name="Stage: One", state=state)  # fmt: skip
    return Painted(rollout_id, bar.flow_run_id, sequence, [bar])


def test_many_pages_are_drawn_with_as_many_statements_as_one(company: Company) -> None:
    ids = rollouts(company, 6)
    with counted(company.db) as for_one:
        chart(company.db, ids[0], company.now)
    with counted(company.db) as for_all:
        charts(company.db, ids, company.now)
    assert len(for_all) == len(for_one) <= 14


def test_drawn_together_or_alone_they_look_the_same(company: Company) -> None:
    ids = rollouts(company, 3)
    company.says(ANNA)  # in the last one alone
    together = charts(company.db, ids, company.now)
    assert list(together) == ids
    for rollout_id, wanted in together.items():
        assert wanted == chart(company.db, rollout_id, company.now)
        assert wanted is not None and wanted.rollout_id == rollout_id
    said = [{word.email for line in wanted.gates for word in line.said} for wanted in together.values() if wanted]
    assert said == [{BEN}, {BEN}, {ANNA, BEN}]


def test_one_without_a_flow_run_has_none_and_takes_none_from_the_others(company: Company) -> None:
    with_page, without = rollouts(company, 2)
    attach_flow_run(company.db, without, None)
    found = charts(company.db, [without, with_page], company.now)
    assert (found[without], charts(company.db, [], company.now)) == (None, {})
    wanted = found[with_page]
    assert wanted is not None and wanted.waiting_for


def test_what_is_painted_is_noted_in_one_transaction(company: Company) -> None:
    ids = rollouts(company, 4)
    commits: list[Connection] = []
    note = commits.append
    event.listen(company.db.engine, "commit", note)
    with counted(company.db) as asked:
        note_painted(company.db, [page(rollout_id, 2) for rollout_id in ids])
    event.remove(company.db.engine, "commit", note)
    assert len(commits) == 1
    assert {painted(company.db, rollout_id) for rollout_id in ids} == {2}
    assert sum("INSERT" in each for each in asked) == 1
    assert sum(each.startswith("UPDATE rollouts") for each in asked) == len(ids)
    note_painted(company.db, [page(rollout_id, 3, "passed") for rollout_id in ids])
    for wanted in charts(company.db, ids, company.now).values():
        assert wanted is not None
        assert {bar.state for bar in wanted.painted.values()} == {"passed"}


def test_what_is_noted_late_takes_nothing_back(company: Company) -> None:
    [rollout_id] = rollouts(company, 1)
    note_painted(company.db, [page(rollout_id, 3)])
    note_painted(company.db, [page(rollout_id, 2)])
    assert painted(company.db, rollout_id) == 3


def test_a_page_that_was_replaced_meanwhile_says_nothing_of_the_new_one(company: Company) -> None:
    first, second = rollouts(company, 2)
    old = run_of(first)
    attach_flow_run(company.db, first, "another-run")
    note_painted(company.db, [page(first, 3, flow_run_id=old), page(second, 3)])
    assert (painted(company.db, first), painted(company.db, second)) == (-1, 3)


def test_rollouts_are_locked_in_the_order_of_their_ids_as_by_all_who_lock_several(company: Company) -> None:
    """Or each of two would wait for what the other has: PostgreSQL locks a rollout for a new bar of it."""
    if company.db.is_sqlite:
        pytest.skip("SQLite has one lock for all")
    first, *others = sorted(rollouts(company, 4))
    pages = [page(rollout_id, 2) for rollout_id in (*others, first)]
    with ThreadPoolExecutor(1) as painter:
        with company.db.write() as session:
            session.scalars(rollout_locked(first)).one()
            noting = painter.submit(note_painted, company.db, pages)
            while not somebody_waits(company.db):
                assert not noting.done()
                time.sleep(0.01)
            with Session(company.db.engine) as another:  # a third that writes would have to wait for its turn
                free = locked_rollouts().where(Rollout.id.in_(others)).with_for_update(skip_locked=True)
                assert {row.id for row in another.scalars(free)} == set(others)
        noting.result(30)
    assert {painted(company.db, one) for one in (first, *others)} == {2}


def somebody_waits(db: Database) -> bool:
    with db.read() as session:
        return bool(session.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")))
