"""Exclusive stages: of those that name the same resource one is open, first come, first served; all get through.

Between two transactions a resource may be free while somebody waits for it: the relay, or the check, lets the next one
in. A race cannot prove that no order of two transactions goes wrong; the unique index can, and is tested as well.
"""

from __future__ import annotations

import threading
from functools import partial

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError

from domain.reasons import Reason
from models.changes import Changes
from models.database import Database
from models.exclusive import Claim, queue_of
from models.gates import GateRow
from models.requests import RequestState
from models.rollouts import StageRow
from operations.attach_flow_run import attach_flow_run
from operations.chart import chart
from operations.installation import Installation
from operations.progress import progress
from operations.queues import lines
from operations.rounds import new_gate_round, reopen_passed
from operations.start_rollout import Start, start_rollout
from operations.take_turns import take_turns
from operations.workspace import LIVING_STAGES, locked
from plans.reading import read_plan
from tests.company import KEYS, MONDAY, REQUESTER, ROLES, Company
from tests.integration.test_two_at_once import deciding, race
from worker.relay import let_the_next_in

ANNA, DORA, EMIL = "anna@example.com", "dora@example.com", "emil@example.com"
CROWD = 20


def stage(name: str, exclusive: str = "", *, keys: str = "", on_reject: str = "hold", approvers: str = "board") -> str:
    """A stage with one gate, called like it, at which one of those asked says yes."""
    alone = f"exclusive: {exclusive}, " if exclusive else ""
    return (
        f"  - {{id: {name}, title: Stage {name}, {alone}{keys}gates: [{{id: {name}-gate, title: Gate {name}, "
        f'kind: sign-off, question: "Shall we?", approvers: [{approvers}], quorum: any, '
        f"on_reject: {on_reject}}}]}}\n"
    )


def plan(*stages: str, name: str = "shift") -> str:
    return f"plan: {name}\ntitle: Shift traffic\n{ROLES}\nstages:\n{''.join(stages)}"


ALONE = plan(stage("shift", "production"))
BACK = plan(stage("shift", "production", on_reject="{recycle: shift}", approvers="finance"))
SIDE_BY_SIDE = plan(stage("a", "production"), stage("b", "production", keys="needs: [], "))


class Rollouts:
    """Several rollouts in one company, each talked about in its turn."""

    def __init__(self, db: Database, *sources: str) -> None:
        self.db = db
        self.company = Company(db)
        self.ids = [self.company.start(source, title=f"Rollout {place}") for place, source in enumerate(sources)]

    def of(self, place: int) -> Company:
        """The company, talking about one of the rollouts."""
        self.company.rollout_id = self.ids[place]
        return self.company

    def state(self, place: int, name: str = "shift") -> str:
        return self.of(place).stage_states()[name]

    def states(self) -> list[str]:
        """Where the stage “shift” stands in each of them."""
        return [self.state(place) for place in range(len(self.ids))]

    def queue(self) -> list[int]:
        """Who uses production, and who waits for it."""
        with self.db.read() as session:
            return [self.ids.index(claim.rollout_id) for claim in session.scalars(queue_of("production"))]

    def shown(self, place: int, name: str = "shift") -> dict[str, object]:
        """What is said of a stage's place in the queue."""
        found = next(one for one in self.of(place).rollout()["stages"] if one["id"] == name)
        return {key: found[key] for key in ("waits_for", "uses")}


def ask_again(company: Company, name: str) -> None:
    """Ask a stage that has passed once more, as a lapse does."""
    with locked(company.db, KEYS, company.rollout_id, company.now) as ws:
        stage = next(row for row in ws.stages() if row.key == name)
        gates = [gate for gate in ws.gates() if gate.stage_id == stage.id]
        again = reopen_passed(ws, stage)
        for gate in gates:
            new_gate_round(ws, gate, again)
        progress(ws)


def open_at_once(db: Database) -> int:
    """How many stages that use the same resource are open at this moment; the most of any resource."""
    using = (
        select(func.count())
        .select_from(StageRow)
        .join(Claim, Claim.stage_id == StageRow.id)
        .where(StageRow.state.in_(LIVING_STAGES))
        .group_by(Claim.resource)
    )
    with db.read() as session:
        return max(session.scalars(using), default=0)


def take_the_first_place_again(db: Database) -> None:
    with db.write() as session:
        first = session.scalars(select(Claim).order_by(Claim.id).limit(1)).one()
        session.add(Claim(resource=first.resource, rollout_id=first.rollout_id, stage_id=first.stage_id,
                          claimed_at=MONDAY))  # fmt: skip


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
