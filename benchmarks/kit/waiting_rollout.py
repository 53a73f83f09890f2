"""A rollout of the plan `office-policy` that waits for its first decision, with everything about it delivered."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from sqlalchemy import update

from models import schema
from models.checks import CheckRun
from models.database import Database
from models.outbox import Message, MessageState
from models.rollouts import Rollout
from operations.import_people import import_people
from operations.start_rollout import Start, start_rollout
from plans.catalogue import Catalogue
from plans.directory import read_directory

PEOPLE = Path(__file__).parents[2] / "plans" / "people" / "sample.yaml"
REQUESTER = "lea.brunner@example.com"
ITS_FLOW_RUN = "5c0f1b8e-5d0c-4a35-9a53-0b6f7c1d2e3f"


def set_up(db: Database, keys: tuple[bytes, ...], now: datetime) -> str:
    """Make the schema and the people, let one rollout wait, and return its id; a check has just run."""
    schema.upgrade(db)
    import_people(db, read_directory(PEOPLE.read_text("utf-8"), PEOPLE.name), now)
    rollout_id = start(db, keys, now, flow_run_id=ITS_FLOW_RUN)
    deliver(db)
    with db.write() as session:
        session.add(CheckRun(started_at=now, finished_at=now, report={}, checker=""))
    return rollout_id


def start(db: Database, keys: tuple[bytes, ...], now: datetime, flow_run_id: str | None = None) -> str:
    """Start a rollout and return its id."""
    loaded = Catalogue().load("office-policy")
    wording = {"policy": "Dogs may come along if everybody in the room agrees."}
    begun = Start(loaded.plan, loaded.source, "Dogs in the office", REQUESTER, inputs=wording, flow_run_id=flow_run_id)
    return start_rollout(db, keys, begun, now)


def deliver(db: Database) -> None:
    """Take every mail as sent, and every page as painted, so that the relay has nothing left to do."""
    with db.write() as session:
        session.execute(update(Message).values(state=MessageState.SENT, settled_at=Message.created_at))
        session.execute(update(Rollout).values(painted=Rollout.sequence))
