"""Exclusive stages: of those that name the same resource one is open, first come, first served; all get through.

Between two transactions a resource may be free while somebody waits for it: the relay, or the check, lets the next one
in. A race cannot prove that no order of two transactions goes wrong; the unique index can, and is tested as well.
"""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import update

from models.changes import Changes
from models.database import Database
from models.gates import GateRow
from models.requests import RequestState
from operations.installation import Installation
from tests.company import KEYS, Company
from tests.exclusive_stages import ALONE, BACK, SIDE_BY_SIDE, Rollouts, ask_again, plan, stage
from worker.relay import let_the_next_in

ANNA, DORA, EMIL = "anna@example.com", "dora@example.com", "emil@example.com"


class TestFirstComeFirstServed:
    def test_the_second_waits_until_the_first_has_passed(self, db: Database) -> None:
        rollouts = Rollouts(db, ALONE, ALONE)
        assert rollouts.states() == ["open", "waiting"]
        rollouts.of(0).decides(ANNA)
        assert rollouts.states() == ["passed", "waiting"]
        rollouts.company.takes_turns()
        assert rollouts.states() == ["passed", "open"]
        rollouts.of(1).decides(ANNA)
        assert rollouts.company.state == "completed"
        assert rollouts.queue() == []

    def test_who_waits_is_not_asked(self, db: Database) -> None:
        rollouts = Rollouts(db, ALONE, ALONE)
        assert rollouts.of(1).requests(ANNA) == []

    def test_what_counts_is_the_resource_and_not_the_plan(self, db: Database) -> None:
        other = plan(stage("shift", "production"), name="other")
        elsewhere = plan(stage("shift", "staging"), name="elsewhere")
        assert Rollouts(db, ALONE, other, elsewhere).states() == ["open", "waiting", "open"]

    def test_a_stage_takes_its_place_when_it_is_ready_and_not_when_its_rollout_starts(self, db: Database) -> None:
        rollouts = Rollouts(db, plan(stage("first"), stage("shift", "production")), ALONE)
        assert rollouts.queue() == [1]
        rollouts.of(0).decides(ANNA)
        assert rollouts.queue() == [1, 0]
        assert rollouts.states() == ["waiting", "open"]

    def test_the_check_lets_the_next_one_in_when_the_relay_is_away(self, db: Database) -> None:
        rollouts = Rollouts(db, ALONE, ALONE)
        rollouts.of(0).decides(ANNA)
        assert rollouts.company.checks().advanced == 1
        assert rollouts.states() == ["passed", "open"]
        assert rollouts.company.checks().advanced == 0

    def test_the_relay_lets_the_next_one_in_as_soon_as_it_hears_of_the_commit(
        self, db: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("ETAPPE_DATABASE_URL", db.url)
        monkeypatch.setenv("ETAPPE_SECRET_KEYS", KEYS[0].decode())
        rollouts, here = Rollouts(db, ALONE, ALONE, ALONE), Installation.from_environment()
        stop = threading.Event()
        relay = threading.Thread(target=let_the_next_in, args=(here, stop))
        relay.start()
        with Changes(db) as changes:
            for place in range(3):
                while rollouts.state(place) != "open" and changes.wait(10):
                    pass
                rollouts.of(place).decides(ANNA)
        stop.set()
        relay.join()
        here.db.close()
        assert rollouts.states() == ["passed"] * 3

    def test_looking_after_who_waits_changes_nothing(self, db: Database) -> None:
        rollouts = Rollouts(db, ALONE, ALONE)
        before = rollouts.of(1).actions()
        rollouts.company.advance()
        rollouts.company.takes_turns()
        rollouts.company.checks()
        assert rollouts.of(1).actions() == before

    def test_one_rollout_that_fails_does_not_keep_the_others_waiting(self, db: Database) -> None:
        tape = plan(stage("shift", "tape"))
        rollouts = Rollouts(db, ALONE, ALONE, tape, tape)
        rollouts.of(0).decides(ANNA)
        rollouts.of(2).decides(ANNA)
        with db.write() as session:  # a row that somebody has tampered with: this rollout cannot be advanced
            session.execute(update(GateRow).where(GateRow.rollout_id == rollouts.ids[1]).values(key="unknown"))
        with pytest.raises(KeyError):
            rollouts.company.takes_turns()
        assert rollouts.state(3) == "open"

    def test_stages_of_one_rollout_that_could_run_side_by_side_wait_for_each_other(self, db: Database) -> None:
        company = Company(db)
        company.start(SIDE_BY_SIDE)
        assert company.stage_states() == {"a": "open", "b": "waiting"}
        company.decides(ANNA)
        assert company.stage_states() == {"a": "passed", "b": "open"}
        company.decides(ANNA)
        assert company.state == "completed"

    def test_somebody_who_came_in_between_comes_in_between(self, db: Database) -> None:
        rollouts = Rollouts(db, plan(stage("shift", "production"), stage("again", "production")), ALONE)
        rollouts.of(0).decides(ANNA)
        rollouts.company.takes_turns()
        assert rollouts.of(0).stage_states() == {"shift": "passed", "again": "waiting"}
        rollouts.of(1).decides(ANNA)
        rollouts.company.takes_turns()
        assert rollouts.of(0).stage_states() == {"shift": "passed", "again": "open"}


class TestWhatGivesItBack:
    def test_a_held_stage_keeps_it(self, db: Database) -> None:
        rollouts = Rollouts(db, plan(stage("shift", "production", approvers="finance")), ALONE)
        rollouts.of(0).decides(DORA, "reject")
        rollouts.company.takes_turns()
        assert rollouts.states() == ["held", "waiting"]
        rollouts.of(0).resumes()
        rollouts.company.takes_turns()
        assert rollouts.states() == ["open", "waiting"]

    def test_a_rollout_that_is_called_off_gives_it_back(self, db: Database) -> None:
        rollouts = Rollouts(db, ALONE, ALONE)
        rollouts.of(0).cancels()
        rollouts.company.takes_turns()
        assert rollouts.states() == ["skipped", "open"]

    def test_one_that_is_called_off_on_hold_gives_it_back(self, db: Database) -> None:
        rollouts = Rollouts(db, plan(stage("shift", "production", approvers="finance")), ALONE)
        rollouts.of(0).decides(DORA, "reject")
        rollouts.company.cancels()
        rollouts.company.takes_turns()
        assert rollouts.states() == ["skipped", "open"]

    def test_one_that_is_called_off_while_it_waits_leaves_the_queue(self, db: Database) -> None:
        rollouts = Rollouts(db, ALONE, ALONE, ALONE)
        rollouts.of(1).cancels()
        assert rollouts.queue() == [0, 2]
        rollouts.of(0).decides(ANNA)
        rollouts.company.takes_turns()
        assert rollouts.states() == ["passed", "skipped", "open"]

    def test_a_rollout_that_ends_for_good_gives_back_what_any_of_its_stages_uses(self, db: Database) -> None:
        ends = stage("ends", keys="needs: [], ", on_reject="kill", approvers="finance")
        rollouts = Rollouts(db, plan(stage("shift", "production"), ends), ALONE)
        rollouts.of(0).decides(DORA, "reject")
        assert rollouts.company.state == "killed"
        rollouts.company.takes_turns()
        assert rollouts.states() == ["skipped", "open"]

    def test_who_goes_back_gives_it_back_and_comes_last_again(self, db: Database) -> None:
        rollouts = Rollouts(db, BACK, ALONE)
        rollouts.of(0).decides(DORA, "reject")
        assert rollouts.queue() == [1, 0]
        rollouts.company.takes_turns()
        assert rollouts.states() == ["waiting", "open"]
        rollouts.of(1).decides(ANNA)
        rollouts.company.takes_turns()
        assert rollouts.of(0).rollout()["stages"][0]["round"] == 2
        assert rollouts.states() == ["open", "passed"]

    def test_who_goes_back_alone_goes_on_at_once(self, db: Database) -> None:
        company = Company(db)
        company.start(BACK)
        company.decides(DORA, "reject")
        assert company.stage_states() == {"shift": "open"}

    def test_a_stage_that_can_no_longer_open_leaves_the_queue(self, db: Database) -> None:
        """An earlier stage is asked again: whoever waits behind must not wait for that, too."""
        rollouts = Rollouts(db, ALONE, plan(stage("first"), stage("shift", "production")), ALONE)
        rollouts.of(1).decides(ANNA)
        assert rollouts.queue() == [0, 2, 1]
        ask_again(rollouts.of(1), "first")
        assert rollouts.queue() == [0, 2]
        assert rollouts.of(1).actions()[-1] != "stage.waits-for-resource"
        rollouts.of(1).decides(ANNA)
        assert rollouts.queue() == [0, 2, 1]


class TestAskedAgain:
    def test_a_stage_that_has_passed_opens_once_more_when_nobody_uses_its_resource(self, db: Database) -> None:
        rollouts = Rollouts(db, plan(stage("shift", "production"), stage("last")))
        rollouts.of(0).decides(ANNA)
        ask_again(rollouts.of(0), "shift")
        assert rollouts.of(0).stage_states() == {"shift": "open", "last": "open"}
        assert rollouts.queue() == [0]

    def test_it_waits_for_its_turn_when_others_use_it_and_is_asked_then(self, db: Database) -> None:
        rollouts = Rollouts(db, plan(stage("shift", "production"), stage("last")), ALONE)
        rollouts.of(0).decides(ANNA)
        rollouts.company.takes_turns()
        ask_again(rollouts.of(0), "shift")
        assert rollouts.of(0).stage_states() == {"shift": "waiting", "last": "open"}
        assert rollouts.of(0).gate("shift-gate")["state"] == "waiting"
        [asked] = rollouts.company.requests(ANNA, RequestState.OPEN)  # at the last stage, which goes on
        rollouts.company.decides(ANNA, request=asked)
        assert rollouts.company.state == "open"
        rollouts.of(1).decides(ANNA)
        rollouts.company.takes_turns()
        assert rollouts.of(0).stage_states() == {"shift": "open", "last": "passed"}
        rollouts.company.decides(ANNA)
        assert rollouts.company.state == "completed"
