"""Every statement of the hot paths finds its rows by an index, on both databases, and among many reads no more.

Hot is what people do, what the clock does, what the relay looks at again and again, and what programs ask for.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import Update, update

from benchmarks.kit.filled import analyse, copy_rollout
from domain import links
from models.board import ended
from models.database import Database
from models.gates import GateRow
from models.outbox import Message
from models.requests import Request
from models.rollouts import Rollout, StageRow, rollouts_to_wake, rollouts_unpainted, rollouts_without_flow_run
from operations import board
from operations.calendars_due import calendars_due
from operations.chart import chart
from operations.explain_rollout import explain_rollout
from operations.installation import Installation
from operations.looks import looks_due
from operations.queues import lines
from operations.report_late_check import report_late_check
from operations.run_gates import runs_to_follow
from operations.take_turns import take_turns
from settings import Settings
from tests.api_client import ADMIN, ANNA, BEN, CARLA, WITH_ADMIN, Api
from tests.company import KEYS, MONDAY, Company
from tests.delivering import post
from tests.fakes import FakeChat, FakeSender
from tests.query_work import counted, listened_to, read_from_end_to_end
from tests.sample_plans import ROLES, SIGN_OFF
from worker.chat_post import ChatPost

GROWING = (
    *("rollouts", "stages", "gates", "requests", "links", "decisions", "lapses", "conditions", "measurements"),
    *("attachments", "claims", "audit_entries", "messages", "bars"),
)
"""Tables with rows for every rollout. The others have rows for people, plans and services."""
COUNTING = ("SELECT count(*) AS count_1 FROM gates", "SELECT rollouts.state, count(*)")
"""How many gates are open, and how many rollouts are in each state, is counted in an index."""
LIST = re.compile(r"IN \((?!SELECT)[^()]*(?:\(\w+\)[^()]*)*\)")
"""What somebody is one of, however many there are."""
OTHERS = 150
"""How many rollouts of other people wait meanwhile, and have ended."""
FEW = 3
"""How many others are few: as many as fill a page of the board, which is this short here."""

PLAN = f"""
plan: everything-hot
title: Everything that is hot
{ROLES}
stages:
  - id: first
    title: First
    stalled_after: 3 days
    gates:
      - {{id: gate, title: The gate, {SIGN_OFF}, quorum: all, remind: every 2 days,
          escalate: [{{after: 5 days, to: chair}}], expires: {{after: 20 days}}}}
      - {{id: numbers, title: Numbers, kind: measurement, metric: hits, measured_by: finance, at_least: 70}}
  - id: second
    title: Second
    gates:
      - {{id: last, title: The last, {SIGN_OFF}}}
"""


@pytest.fixture
def company(new_db: Database) -> Company:
    """A company whose database has the statistics of this test alone."""
    return Company(new_db, directory=WITH_ADMIN)


@pytest.fixture(autouse=True)
def short_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page of the board is full, and no more is counted, with few rollouts already."""
    monkeypatch.setattr(board, "AT_ONCE", FEW - 1)
    monkeypatch.setattr(board, "COUNTED", FEW)


@pytest.fixture
def fresh(new_db: Database, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """Another empty database of the same kind."""
    if new_db.is_sqlite:
        url = f"sqlite:///{shutil.copy(request.getfixturevalue('migrated_sqlite'), tmp_path / 'fresh.db')}"
    else:
        url = request.getfixturevalue("postgres").create(template="etappe_template")
    database = Database(url)
    yield database
    database.close()


def everything_hot(company: Company, home: Path) -> dict[str, Callable[[], object]]:
    """What people, the clock, the relay and programs do all day, each by its name."""
    db, api = company.db, Api(company, home)
    settings = Settings.from_environment({"ETAPPE_HOME": str(home)})
    here = Installation(settings)
    here.__dict__.update(db=db, keys=KEYS)

    def deciding() -> None:
        for person in (ANNA, BEN, CARLA):
            company.decides(person)
        company.measures("hits", "80")

    def checking() -> None:
        for _ in range(8):
            company.later(days=1)
            company.checks()

    def served(*paths: str) -> None:
        for path in paths:
            assert api.client.get(path).status_code == 200, path

    def opening_pages() -> None:
        token = company.token(company.asked(ANNA))
        served(f"/decide/{token}", f"/decide/{token}/away", links.rollout_page("", KEYS[0], company.rollout_id),
               f"/calendar/{links.feed_token(KEYS[0], ANNA, 1)}.ics")  # fmt: skip

    def turning_pages_of_the_board() -> None:
        here = links.board("", KEYS[0])
        with db.read() as session:
            last = session.scalars(ended().limit(1)).one()
        newest = company.rollout_id
        served(here, f"{here}?show=in-need&before={newest}", f"{here}?show=going-on&before={newest}",
               f"{here}?show=ended", f"{here}?show=ended&before={last}")  # fmt: skip

    def asking_the_api() -> None:
        here = f"/rollouts/{company.rollout_id}"
        for path in (here, f"{here}/explanation", f"{here}/gates/gate"):
            assert api.get(ANNA, path).status_code == 200, path
        page = api.get(ADMIN, "/rollouts?limit=3").json()
        assert api.get(ADMIN, f"/rollouts?limit=3&before={page[0]['id']}").status_code == 200

    def looking() -> None:
        looks_due(db, company.now)
        take_turns(db, KEYS, company.now)
        calendars_due(db, company.now)
        ChatPost(here, FakeChat(), lambda: company.now).deliver_all()
        report_late_check(db, company.now, company.now - timedelta(days=9))

    def following() -> None:
        runs_to_follow(db)
        lines(db)
        with db.read() as session:
            for found in (rollouts_without_flow_run().limit(200), rollouts_to_wake().limit(200), rollouts_unpainted()):
                session.scalars(found).all()

    return {
        "starting": lambda: company.start(PLAN),
        "the mails": lambda: post(company, FakeSender()).deliver_all(),
        "following in Prefect": following,
        "the check": checking,
        "looking for what is due": looking,
        "being watched": lambda: served("/readyz", "/metrics"),
        "explaining": lambda: explain_rollout(db, company.rollout_id, company.now),
        "showing": company.rollout,
        "painting": lambda: chart(db, company.rollout_id, company.now),
        "pages": opening_pages,
        "the board": turning_pages_of_the_board,
        "the API": asking_the_api,
        "deciding": deciding,
        "their mails": lambda: post(company, FakeSender()).deliver_all(),
    }


def test_no_table_that_grows_with_the_rollouts_is_read_from_one_end_to_the_other(
    company: Company, tmp_path: Path
) -> None:
    scanned: dict[str, str] = {}
    others(company, 1)
    company.start(PLAN)
    for name, do in everything_hot(company, tmp_path).items():
        with listened_to(company.db) as heard:
            do()
        assert heard, name
        with company.db.engine.connect() as connection:
            for statement, given in heard.items():
                if " ".join(statement.split()).startswith(COUNTING):
                    continue
                for table in read_from_end_to_end(connection, statement, given, GROWING):
                    scanned[statement] = f"{name}: {table} in {' '.join(statement.split())}"
    assert not scanned, "\n\n".join(scanned.values())


def test_nothing_reads_more_among_many_rollouts_than_among_few(
    company: Company, fresh: Database, tmp_path: Path
) -> None:
    alone = Company(fresh, directory=WITH_ADMIN)
    others(alone, FEW)
    others(company, OTHERS)
    for analysed in (False, True) if fresh.is_sqlite else (True,):  # PostgreSQL analyses by itself
        if analysed:
            analyse(company.db)
            analyse(fresh)
        few, many = work(alone, tmp_path), work(company, tmp_path)
        assert few.keys() == many.keys()
        grown = [f"{few[one]} to {many[one]}: {one}" for one in few if many[one] - few[one] >= OTHERS / 2]
        assert not grown, "\n\n".join(grown)


def work(company: Company, home: Path) -> dict[str, int]:
    """Do everything that is hot, and return how much was read for each statement."""
    read: dict[str, int] = {}
    for name, do in everything_hot(company, home).items():
        with counted(company.db) as found:
            do()
        for statement, steps in found.items():
            if not (said := " ".join(statement.split())).startswith(COUNTING):
                said = f"{name}: {LIST.sub('IN (...)', said)}"
                read[said] = max(steps, read.get(said, 0))
    return read


def others(company: Company, count: int) -> None:
    """Let so many rollouts of others wait, and as many have ended, of which nothing is due, to be sent or painted."""
    for is_over in (False, True):
        company.start(PLAN)
        if is_over:
            company.cancels()
        with company.db.write() as session:
            for statement in undisturbed(company.rollout_id):
                session.execute(statement)
        copy_rollout(company.db, company.rollout_id, range(1, count))


def undisturbed(rollout_id: str) -> Iterator[Update]:
    """Of a rollout started the day before, let others be asked, nothing come due, and everything be delivered."""
    before, later = MONDAY - timedelta(days=1), MONDAY + timedelta(days=3000)
    yield (
        update(Rollout)
        .where(Rollout.id == rollout_id)
        .values(created_at=before, painted=Rollout.sequence, flow_run_id=str(uuid4()), wake_at=None)
    )
    yield update(StageRow).where(StageRow.rollout_id == rollout_id).values(stalled_at=None)
    yield (
        update(GateRow)
        .where(GateRow.rollout_id == rollout_id)
        .values(remind_at=later, escalate_at=later, expires_at=later)
    )
    yield update(Request).where(Request.rollout_id == rollout_id).values(person=Request.id)
    yield update(Message).where(Message.rollout_id == rollout_id).values(state="sent", recipient="else@example.com")
