"""A walk through everything that people and time can do, decided by one seed; what is stored is the judge."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from domain.conditions import TypedCondition
from domain.errors import EtappeError, WrongCode
from models.database import Database
from models.requests import Purpose, Request, RequestState, requests_of
from models.rollouts import Rollout
from operations.record_answers import record_answers
from operations.record_decision import DecisionForm, record_decision
from operations.verify_record import verify_record
from plans.reading import read_plan
from tests.company import KEYS, Company, without_waiting_for_the_disk
from tests.model import invariants, plans
from tests.model import ways as ways_out
from tests.model.snapshot import Reader, Snapshot

PEOPLE = ["lea", "anna", "ben", "carla", "dora", "emil", "fritz", "gina"]
ADDRESSES = [f"{name}@example.com" for name in PEOPLE]
MOST_ALIVE = 3
VERIFY_EVERY = 50
EXPLAIN_EVERY = 50


class Refused(Exception):  # what the walker tried was refused, as it may be
    """A step that the rules refused."""


class Walk:
    """One company, walked through by chance. The same seed takes the same steps."""

    def __init__(self, db: Database, seed: int) -> None:
        without_waiting_for_the_disk(db)
        self.chance = random.Random(seed)
        self.company = Company(db, directory=plans.PEOPLE)
        self.plans: dict[str, dict[str, Any]] = {}
        self.sources: dict[str, str] = {}
        self.done: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.everything = Reader()

    def go(self, steps: int) -> None:
        """Take so many steps, and judge each. Raises AssertionError with the number of the step that broke a rule."""
        before = self.everything(self.company.db)
        for number in range(steps):
            name, step = self._chosen()
            try:
                before = self._take(name, step, before)
                if number % EXPLAIN_EVERY == 0:
                    self._explain()
            except Exception as error:
                raise AssertionError(f"step {number} ({name}): {error}") from error
            if number % VERIFY_EVERY == 0:
                assert all(report.holds for report in verify_record(self.company.db)), "the record does not verify"

    def _take(self, name: str, step: Callable[[], object], before: Snapshot) -> Snapshot:
        try:
            step()
        except WrongCode:
            self.refused[name] += 1
            return self.everything(self.company.db)  # counted, and after five a new link is mailed
        except (EtappeError, Refused):
            self.refused[name] += 1
            after = self.everything(self.company.db)
            invariants.refused_step(before, after)
            return after
        self.done[name] += 1
        after = self.everything(self.company.db)
        invariants.after_step(before, after, self.plans)
        return after

    def _explain(self) -> None:
        for rollout_id in list(self.plans)[-MOST_ALIVE:]:
            ways_out.everything_is_explained(self.company, rollout_id)

    def _chosen(self) -> tuple[str, Callable[[], object]]:
        names = list(self.steps)
        [name] = self.chance.choices(names, [self.steps[one] for one in names])
        return name, getattr(self, f"do_{name}")

    steps: Mapping[str, int] = {
        "decide": 30,
        "decide_by_an_old_link": 3,
        "decide_with_a_wrong_code": 2,
        "decide_what_was_shown_before": 2,
        "fill_in": 4,
        "measure": 3,
        "change_inputs": 6,
        "answer_changes": 8,
        "attach": 3,
        "detach": 1,
        "time": 8,
        "check": 10,
        "resume": 6,
        "waive": 3,
        "reassign": 3,
        "add_an_approver": 2,
        "take_turns": 3,
        "deliver": 4,
        "lend": 4,
        "end_lending": 2,
        "be_away": 4,
        "come_back": 2,
        "migrate": 3,
        "start": 4,
        "cancel": 1,
        "take_a_way_out": 3,
    }
    """What may happen, and how often."""

    def do_start(self) -> None:
        alive = [key for key in self.plans if self._state(key) not in invariants.ENDED]
        if len(alive) >= MOST_ALIVE:
            self.company.rollout_id = self.chance.choice(alive)
            return
        source = self.chance.choice(plans.ALL)
        owner = self.chance.choice(["lea@example.com", "fritz@example.com"])
        self.company.start(source, budget={"tools": "90"}, inputs={"concept": "a", "target": "5"}, owner=owner)
        self.sources[self.company.rollout_id] = source
        self.plans[self.company.rollout_id] = _as_facts(source)

    def do_migrate(self) -> None:
        rollout_id = self._here()
        newer = plans.changed(self.sources[rollout_id], self.chance)
        self.company.migrates(newer)
        self.sources[rollout_id], self.plans[rollout_id] = newer, _as_facts(newer)

    def do_decide(self) -> None:
        request = self._request(RequestState.OPEN, Purpose.DECIDE, Purpose.CONFIRM)
        page = self.company.page(request)
        usual = ["approve"] * 6 if self.chance.random() < 0.8 else []
        decision = self.chance.choice([*usual, *page.question.choices])
        self._decide(request, decision, page.digest)

    def do_decide_by_an_old_link(self) -> None:
        self._decide(self._request(RequestState.VOID, *Purpose), "approve", None)

    def do_decide_with_a_wrong_code(self) -> None:
        request = self._request(RequestState.OPEN, Purpose.DECIDE)
        form = DecisionForm("approve", "000000", self.company.page(request).digest)
        record_decision(self.company.db, KEYS, self.company.token(request), form, self.company.now)

    def do_decide_what_was_shown_before(self) -> None:
        self._decide(self._request(RequestState.OPEN, Purpose.DECIDE), "approve", "0" * 64)

    def do_fill_in(self) -> None:
        request = self._request(RequestState.OPEN, Purpose.ANSWER)
        page = self.company.page(request)
        fields = {entry.item.id: self.chance.choice(["", "done", "done again"]) for entry in page.question.to_fill}
        code, token = self.company.code(request), self.company.token(request)
        record_answers(self.company.db, KEYS, token, fields, code, page.digest, self.company.now)

    def do_measure(self) -> None:
        self._here()
        value, sample = self.chance.choice([("80", "5"), ("80", "1"), ("60", "5"), ("70", "3")])
        self.company.measures("visits", value, sample)

    def do_change_inputs(self) -> None:
        self._here()
        new: Any = self.chance.choice(["90", "101", "150", "201", "0"])
        changes = {"budget": {"tools": new} if new != "0" else {}, "concept": new, "target": new}
        name = self.chance.choice(list(changes))
        self.company.changes(by=self._somebody_in_charge(), **{name: changes[name]})

    def do_answer_changes(self) -> None:
        request = self._request(RequestState.OPEN, Purpose.RESPOND)
        new = self.chance.choice([{}, {"concept": "c"}, {"target": "150"}, {"budget": "tools: 101"}])
        links = self.chance.choice([[], ["https://example.com/offer"]])
        self.company.answers_changes(request.person, request=request, inputs=new, links=links)

    def do_attach(self) -> None:
        self._here()
        name, content = self.chance.choice(["a.txt", "b.txt"]), self.chance.choice([b"one", b"two"])
        self.company.attaches(content, name, by=self._somebody_in_charge())

    def do_detach(self) -> None:
        self._here()
        self.company.detaches(self.chance.choice(["a.txt", "b.txt"]), by=self._somebody_in_charge())

    def do_time(self) -> None:
        self.company.later(hours=self.chance.choice([1, 6, 13, 24, 50]))

    def do_check(self) -> None:
        self.company.checks()
        self.company.later(minutes=15)
        self.company.checks()

    def do_resume(self) -> None:
        self._here()
        self.company.resumes()

    def do_waive(self) -> None:
        key = self.chance.choice(self._gate_keys())
        self.company.waives(self.chance.choice(ADDRESSES), key)

    def do_reassign(self) -> None:
        request = self._request(RequestState.OPEN, *Purpose)
        key = self.company.page(request).question.gate_key
        self.company.reassigns(request.voice, self.chance.choice(ADDRESSES), self._somebody_in_charge(), key)

    def do_add_an_approver(self) -> None:
        key = self.chance.choice(self._gate_keys())
        self.company.adds(self.chance.choice(ADDRESSES), self._somebody_in_charge(), key)

    def do_take_turns(self) -> None:
        self.company.takes_turns()

    def do_deliver(self) -> None:
        self._here()
        self.company.mails_arrive(*self.chance.choice([[], [], ["ben@example.com"]]))

    def do_lend(self) -> None:
        whose, to, by = (self.chance.choice(ADDRESSES) for _ in range(3))
        starts = self.company.now + timedelta(hours=self.chance.choice([0, 0, 30]))
        self.company.lends(whose, to, self.chance.choice([whose, whose, by]), starts, self.chance.choice([1, 3, 9]))

    def do_end_lending(self) -> None:
        rows = self.everything(self.company.db).rows["delegations"]
        if not rows:
            raise Refused
        row = self.chance.choice(rows[-4:])
        self.company.ends(row["id"], self.chance.choice([row["delegator"], row["delegate"]]))

    def do_be_away(self) -> None:
        whose, to = (self.chance.choice(ADDRESSES) for _ in range(2))
        starts = self.company.now + timedelta(hours=self.chance.choice([0, 0, 30]))
        self.company.is_away(whose, self.chance.choice([1, 3, 9]), self.chance.choice(["", "", to]), starts=starts)

    def do_come_back(self) -> None:
        rows = self.everything(self.company.db).rows["absences"]
        if not rows:
            raise Refused
        row = self.chance.choice(rows[-4:])
        self.company.is_back(row["id"], row["person"])

    def do_cancel(self) -> None:
        self._here()
        self.company.cancels()

    def do_take_a_way_out(self) -> None:
        """Whatever is offered may be done: a refusal breaks a rule here."""
        rollout_id = self._here()
        ways = ways_out.everything_is_explained(self.company, rollout_id)
        named = [way for way in ways if "{rollout}" in way.text]
        if not named:
            raise Refused
        way = self.chance.choice(named)
        try:
            ways_out.take(self.company, way)
        except EtappeError as refusal:
            raise AssertionError(f"“{way}” was offered, and refused: {refusal}") from refusal

    def _decide(self, request: Request, decision: str, digest: str | None) -> None:
        words: dict[str, Any] = {"comment": "because", "lessons": "learned"}
        if decision == "approve-with-conditions":
            due = self.company.now.date() + timedelta(days=self.chance.choice([1, 3, 9]))
            words["conditions"] = [TypedCondition("Check it", self.chance.choice(ADDRESSES), due.isoformat())]
        form = DecisionForm(decision, self.company.code(request), digest or "", **words)
        record_decision(self.company.db, KEYS, self.company.token(request), form, self.company.now)

    def _somebody_in_charge(self) -> str:
        return self.chance.choice(["lea@example.com", "gina@example.com", "dora@example.com"])

    def _gate_keys(self) -> list[str]:
        plan = self.plans[self._here()]
        return [key for key in plan if key not in ("needs", "exclusive")]

    def _here(self) -> str:
        """Talk about one of the rollouts there are."""
        if not self.plans:
            raise Refused
        self.company.rollout_id = self.chance.choice(list(self.plans)[-2 * MOST_ALIVE :])
        return self.company.rollout_id

    def _request(self, state: RequestState, *purposes: Purpose) -> Request:
        rollout_id = self._here()
        with self.company.db.read() as session:
            rows = session.scalars(requests_of(rollout_id)).all()
        found = [row for row in rows if row.state is state and row.purpose in purposes]
        if not found:
            raise Refused
        return self.chance.choice(sorted(found, key=lambda row: (row.gate_id, row.person, row.purpose, row.position)))

    def _state(self, rollout_id: str) -> str:
        with self.company.db.read() as session:
            return str(session.get_one(Rollout, rollout_id).state)


def walk(folder: Path, migrated: Path, seed: int, steps: int) -> Counter[str]:
    """Walk in a database of its own, and return how often each step was taken."""
    path = folder / f"walk-{seed}.db"
    path.write_bytes(migrated.read_bytes())
    db = Database(f"sqlite:///{path}")
    try:
        walker = Walk(db, seed)
        walker.go(steps)
        return walker.done
    finally:
        db.close()
        path.unlink()


def _as_facts(source: str) -> dict[str, Any]:
    plan = read_plan(source, "plan.yaml")
    gates: dict[str, Any] = {gate.id: gate.model_dump(mode="json") for stage in plan.stages for gate in stage.gates}
    return {**gates, "needs": plan.needs(), "exclusive": {stage.id: stage.exclusive for stage in plan.stages}}
