"""A resource is never used by two, however many want it at once; and everybody can see who uses it."""

from __future__ import annotations

import threading
from functools import partial

import pytest
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError

from domain.reasons import Reason
from models.database import Database
from models.exclusive import Claim
from models.requests import RequestState
from operations.attach_flow_run import attach_flow_run
from operations.chart import chart
from operations.queues import lines
from operations.start_rollout import Start, start_rollout
from operations.take_turns import take_turns
from plans.reading import read_plan
from tests.company import KEYS, MONDAY, REQUESTER
from tests.exclusive_stages import ALONE, CROWD, Rollouts, open_at_once, plan, stage, take_the_first_place_again
from tests.integration.test_exclusive import ANNA, EMIL
from tests.integration.test_two_at_once import deciding, race


class TestVisible:
    def test_who_waits_for_whom_is_said_on_both_sides(self, db: Database) -> None:
        rollouts = Rollouts(db, ALONE, ALONE, ALONE)
        first, second, third = rollouts.ids
        used_by = {"id": first, "title": "Rollout 0", "since": MONDAY.isoformat()}
        waiting = [{"id": second, "title": "Rollout 1"}, {"id": third, "title": "Rollout 2"}]
        uses = {"resource": "production", "since": MONDAY.isoformat(), "waiting": waiting}
        assert rollouts.shown(0) == {"waits_for": None, "uses": uses}
        for place in (1, 2):
            waits = {"resource": "production", "used_by": used_by, "place": place}
            assert rollouts.shown(place) == {"waits_for": waits, "uses": None}

    def test_between_two_turns_it_is_said_who_is_next(self, db: Database) -> None:
        rollouts = Rollouts(db, ALONE, ALONE, ALONE)
        rollouts.of(0).decides(ANNA)
        assert rollouts.shown(1)["waits_for"] == {"resource": "production", "used_by": None, "place": 1}
        next_one = {"id": rollouts.ids[1], "title": "Rollout 1", "since": None}
        assert rollouts.shown(2)["waits_for"] == {"resource": "production", "used_by": next_one, "place": 2}

    def test_the_owner_is_told_once_for_whom_and_once_when_the_turn_has_come(self, db: Database) -> None:
        rollouts = Rollouts(db, ALONE, ALONE)
        waits, turn = "“Stage shift” waits for its turn", "“Stage shift” opens: its turn has come"
        rollouts.company.advance()
        assert rollouts.of(1).headlines(REQUESTER) == ["The rollout has started", waits]
        message = rollouts.company.messages("information", REQUESTER)[-1]
        told = [str(Reason.from_json(one)) for one in message.facts["sentences"]]
        assert told[0] == f"“Stage shift” waits for “production”, used by “Rollout 0” ({rollouts.ids[0]}). Place 1."
        rollouts.of(0).decides(ANNA)
        rollouts.company.takes_turns()
        rollouts.company.takes_turns()
        assert rollouts.of(1).headlines(REQUESTER) == ["The rollout has started", waits, turn]
        assert turn not in rollouts.of(0).headlines()

    def test_the_owner_of_the_stage_is_told_as_well(self, db: Database) -> None:
        rollouts = Rollouts(db, ALONE, plan(stage("shift", "production", keys="owner: chair, ")))
        assert rollouts.of(1).headlines(EMIL) == ["“Stage shift” waits for its turn"]

    def test_the_record_says_that_it_waits_and_that_its_turn_has_come(self, db: Database) -> None:
        rollouts = Rollouts(db, ALONE, ALONE)
        [entry] = rollouts.of(1).entries("stage.waits-for-resource")
        assert (entry.stage, entry.round) == ("shift", 1)
        assert entry.facts == {"resource": "production", "used_by": rollouts.ids[0], "place": 1}
        rollouts.of(0).decides(ANNA)
        rollouts.company.takes_turns()
        assert rollouts.of(1).actions()[-3:] == ["stage.has-its-turn", "stage.opened", "gate.opened"]
        assert "stage.waits-for-resource" not in rollouts.of(0).actions()

    def test_prefects_page_says_it_and_is_painted_again_when_the_queue_moves(self, db: Database) -> None:
        rollouts = Rollouts(db, ALONE, ALONE, ALONE)
        attach_flow_run(db, rollouts.ids[2], "0190c8a0-0000-7000-8000-000000000000")
        page = chart(db, rollouts.ids[2], MONDAY)
        assert page is not None
        assert [str(one) for one in page.queued] == [
            f"“Stage shift” waits for “production”, used by “Rollout 0” ({rollouts.ids[0]}). Place 2."
        ]
        before = lines(db)
        rollouts.of(0).decides(ANNA)
        rollouts.company.takes_turns()
        after = lines(db)
        assert after.keys() == {rollouts.ids[2]}
        assert before[rollouts.ids[2]] != after[rollouts.ids[2]]


class TestNeverTwo:
    def test_the_database_refuses_a_second_holder(self, db: Database) -> None:
        rollouts = Rollouts(db, ALONE, ALONE)
        with pytest.raises(IntegrityError), db.write() as session:
            session.execute(update(Claim).where(Claim.rollout_id == rollouts.ids[1]).values(held_at=MONDAY))

    def test_the_database_refuses_a_second_place(self, db: Database) -> None:
        Rollouts(db, ALONE)
        with pytest.raises(IntegrityError):
            take_the_first_place_again(db)

    def test_a_crowd_that_starts_at_once_gets_through_one_after_the_other(self, db: Database) -> None:
        rollouts = Rollouts(db)
        read = read_plan(ALONE, "plan.yaml")
        starts = [Start(read, ALONE, f"Rollout {place}", REQUESTER) for place in range(CROWD)]
        rollouts.ids = [
            str(started) for started in race([partial(start_rollout, db, KEYS, start, MONDAY) for start in starts])
        ]
        in_order = rollouts.queue()
        assert sorted(in_order) == list(range(CROWD))
        opened = []
        while in_line := rollouts.queue():
            assert in_line == in_order[-len(in_line) :]
            assert rollouts.states().count("open") == 1
            opened.append(in_line[0])
            rollouts.of(in_line[0]).decides(ANNA)
            race([partial(take_turns, db, KEYS, MONDAY)] * 3)
        assert opened == in_order
        assert all(rollouts.of(place).state == "completed" for place in range(CROWD))

    def test_who_uses_two_resources_one_after_the_other_meets_nobody_head_on(self, db: Database) -> None:
        """Half of them go from tape to disk, half from disk to tape, while others let them in: nobody is stuck."""
        there = plan(stage("one", "tape"), stage("two", "disk"), name="there")
        back = plan(stage("one", "disk"), stage("two", "tape"), name="back")
        rollouts = Rollouts(db, *[there, back] * 4)
        seen: list[int] = []
        over = threading.Event()
        watch = threading.Thread(target=lambda: seen.extend(open_at_once(db) for _ in iter(over.is_set, True)))
        watch.start()
        while deciding_now := [place for place in range(8) if rollouts.of(place).requests(ANNA, RequestState.OPEN)]:
            decisions = [deciding(rollouts.of(place), ANNA) for place in deciding_now]
            race([*decisions, *[partial(take_turns, db, KEYS, MONDAY)] * 2])
            rollouts.company.takes_turns()
        over.set()
        watch.join()
        assert [rollouts.of(place).state for place in range(8)] == ["completed"] * 8
        assert set(seen) <= {0, 1}
