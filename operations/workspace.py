"""One rollout, locked, with its plan and the moment: what every verb works on, and the few things all of them need."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, ParamSpec, TypeVar

from sqlalchemy import Select
from sqlalchemy.orm import Session

from domain import conditions, record
from domain.authority import Caretakers, why_may_not_look_after
from domain.errors import NotAllowed, NotFound, UnknownRollout
from domain.mail_times import Hours
from domain.nearest import suggestion
from domain.plan import ADMINISTRATOR, Calendar, Closures, Gate, Plan, Stage
from domain.resolved import resolved
from domain.states import GateState, StageState
from models.appending import append
from models.conditions import Condition
from models.database import Database
from models.gates import GateRow, current_gates, stages_with_gates
from models.people import chats
from models.reading import ask, know, read_once, was_read
from models.record import AuditEntry
from models.requests import Decision
from models.rollouts import (
    PlanVersion,
    Rollout,
    StageRow,
    current_stages,
    rollout_locked,
)
from models.seldom import CHATS, CLOSURES, SELDOM, there_is
from notifications.facts import Reader
from operations.calendars import company_closures, with_closures
from operations.directory import Directory
from operations.kept_plans import gate_of, plan_of

_P = ParamSpec("_P")
_T = TypeVar("_T")

BY_THE_RULES = "etappe"
"""The actor of what follows from the rules alone."""


@dataclass(frozen=True)
class Actor:
    """Who changes something, by which door, and how sure Etappe is that it is them."""

    address: str
    channel: str
    assurance: str = "none"


SYSTEM = Actor(BY_THE_RULES, "rules")


@dataclass
class Workspace:
    """A rollout under its lock. Whatever is added to `session` commits together, or not at all."""

    session: Session
    keys: Sequence[bytes]
    rollout: Rollout
    now: datetime
    actor: Actor = SYSTEM
    readers: dict[str, Reader] = field(default_factory=dict)
    """How to write to people, as far as somebody has asked (operations/question.py)."""
    hours: dict[str, Hours] = field(default_factory=dict)
    """When people are written to, as far as somebody has asked (operations/hours.py)."""
    kept: set[str] = field(default_factory=set)
    """The digests of what this transaction has kept (operations/evidence.py)."""
    told: Counter[tuple[int, str]] = field(default_factory=Counter)
    """What each person has heard because of each entry of the record (operations/telling.py)."""
    _stages: dict[int, StageRow] = field(default_factory=dict)  # a session forgets rows that nobody holds
    _conditions: dict[int, Condition] = field(default_factory=dict)
    _is_looked_at: bool = False

    @classmethod
    def to_look_at(cls, session: Session, rollout: Rollout, now: datetime) -> Workspace:
        """Return a rollout that nothing is changed of here."""
        return cls(session, (), rollout, now)

    @cached_property
    def plan(self) -> Plan:
        """The plan version this rollout keeps."""
        return plan_of(self.rollout.plan_version)

    @cached_property
    def calendar(self) -> Calendar:
        """What times are reckoned by: the plan's calendar, and the days on which the company is closed."""
        return with_closures(self.plan.calendar, self.closures)

    @cached_property
    def closures(self) -> Closures:
        """When the company is closed."""
        return company_closures(self.session) if CLOSURES in self._there_is() else ()

    @cached_property
    def directory(self) -> Directory:
        """Who holds which role, with the rollout's own people over the directory's."""
        return Directory.load(self.session, self.rollout)

    @cached_property
    def in_chat(self) -> frozenset[str]:
        """Who has a chat of their own."""
        if CHATS not in self._there_is():
            return frozenset()
        with self.session.no_autoflush:  # or every message stored so far would be written by itself
            return frozenset(email for email, _ in self.session.execute(chats()))

    def caretakers(self, stage: StageRow | None = None) -> Caretakers:
        """Who looks after the rollout, and after one stage of it."""
        of_stage = self.directory.resolve(self.planned_stage(stage).owner) if stage else []
        administrators = self.directory.resolve(ADMINISTRATOR)
        return Caretakers(self.rollout.owner, self.rollout.requester, frozenset(of_stage), frozenset(administrators))

    def refuse_strangers(self, stage: StageRow | None = None, *, requester_may: bool = True) -> None:
        """Raise NotAllowed unless the actor looks after the rollout, or after this stage of it."""
        if why := why_may_not_look_after(self.actor.address, self.caretakers(stage), requester_may=requester_may):
            raise NotAllowed(why)

    def read(self, query: Callable[_P, Select[_T]], *given: _P.args, **named: _P.kwargs) -> Sequence[_T]:
        """Return what a query finds, without asking twice while nothing changes (models/reading.py).

        Nor is what few rollouts have asked for in vain (models/seldom.py).
        """
        maybe_in_vain = query in SELDOM and not was_read(self.session, query, *given, **named)
        if maybe_in_vain and SELDOM[query] not in self._there_is():
            return ()
        return read_once(self.session, query, *given, **named)

    def _there_is(self) -> Sequence[str]:
        return read_once(self.session, there_is, self.rollout.id, self.now)

    def stages(self) -> list[StageRow]:
        """The stages in their newest round."""
        self._read_stages_with_gates()
        rows = self.read(current_stages, self.rollout.id)
        self._stages.update((row.id, row) for row in rows)
        return list(rows)

    def gates(self, *states: GateState) -> list[GateRow]:
        """The gates in their newest round, of these states (none given: all)."""
        self._read_stages_with_gates()
        rows = self.read(current_gates, self.rollout.id)
        return [row for row in rows if not states or row.state in states]

    def _read_stages_with_gates(self) -> None:
        """Whoever asks for the stages or for the gates asks for the others as well: one statement finds both."""
        if self._is_looked_at:
            return
        self._is_looked_at, its = True, self.rollout.id
        if was_read(self.session, current_stages, its) or was_read(self.session, current_gates, its):
            return
        found = ask(self.session, stages_with_gates, its).all()
        stages = dict.fromkeys(stage for stage, _ in found if stage.current)
        know(self.session, current_stages, list(stages), its)
        know(self.session, current_gates, [gate for _, gate in found if gate is not None], its)

    def gate_called(self, key: str) -> GateRow:
        """One gate in its newest round, by its id in the plan. Raises NotFound when there is none."""
        gates = {row.key: row for row in self.gates()}
        if key not in gates:
            raise NotFound(f"The rollout has no gate “{key}”{suggestion(key, gates)}")
        return gates[key]

    def stage_of(self, gate: GateRow) -> StageRow:
        """The stage a gate belongs to."""
        if gate.stage_id not in self._stages:
            self._stages[gate.stage_id] = self.session.get_one(StageRow, gate.stage_id)
        return self._stages[gate.stage_id]

    def plan_of(self, row: StageRow | GateRow) -> Plan:
        """The plan version a stage or gate belongs to: the rollout's, or an earlier one for what was over by then."""
        if row.plan_version_id is None:
            return self.plan
        return plan_of(self.session.get_one(PlanVersion, row.plan_version_id))

    def go_over(self, version: PlanVersion, inputs: dict[str, Any]) -> None:
        """Follow another version of the plan from now on, with the inputs as it takes them."""
        self.rollout.plan_version, self.rollout.inputs = version, inputs
        self.session.flush()
        del self.plan  # it is read anew, as is its calendar
        self.__dict__.pop("calendar", None)

    def planned_stage(self, stage: StageRow) -> Stage:
        """What the plan says of a stage."""
        return self.plan_of(stage).stage(stage.key)

    def planned_gate(self, gate: GateRow) -> Gate:
        """What the plan says of a gate, with what it takes from the inputs in its place; or what a condition says."""
        if gate.condition_id is not None:
            return self._gate_of_condition(gate.condition_id)
        return resolved(gate_of(self.plan_of(gate), gate.key), self.rollout.inputs)

    def planned_gate_called(self, key: str) -> Gate:
        """What the plan says of the gate of this id, or what a condition comes to. Raises KeyError for any other."""
        if (condition_id := conditions.condition_id_in(key)) is not None:
            return self._gate_of_condition(condition_id)
        return resolved(gate_of(self.plan, key), self.rollout.inputs)

    def condition_of(self, gate: GateRow) -> Condition | None:
        """The condition that a gate came from; None for a gate of the plan."""
        return self._condition(gate.condition_id) if gate.condition_id is not None else None

    def maker_of(self, condition: Condition) -> str:
        """Whose approval a condition hangs on."""
        return self.session.get_one(Decision, condition.decision_id).voice

    def _condition(self, condition_id: int) -> Condition:
        if condition_id not in self._conditions:
            condition = self.session.get(Condition, condition_id)
            if condition is None or condition.rollout_id != self.rollout.id:
                raise KeyError(conditions.key_of(condition_id))
            self._conditions[condition_id] = condition
        return self._conditions[condition_id]

    def _gate_of_condition(self, condition_id: int) -> Gate:
        condition = self._condition(condition_id)
        made_at = self.planned_gate(self.session.get_one(GateRow, condition.gate_id))
        maker = self.maker_of(condition)
        return conditions.as_gate(condition.id, condition.what, condition.who, maker, condition.days, made_at)

    def note(
        self,
        action: str,
        *,
        stage: StageRow | None = None,
        gate: GateRow | None = None,
        actor: Actor | None = None,
        on_behalf_of: str | None = None,
        decision: str | None = None,
        shown_digest: str | None = None,
        comment: str = "",
        facts: dict[str, Any] | None = None,
    ) -> None:
        """Write one entry of the record, chained to the one before it. `on_behalf_of` is who lent the actor a voice."""
        by = actor or self.actor
        stage = stage or (self.stage_of(gate) if gate else None)
        content: dict[str, Any] = {
            "rollout_id": self.rollout.id,
            "sequence": self.rollout.sequence + 1,
            "at": self.now,
            "actor": by.address,
            "on_behalf_of": on_behalf_of,
            "channel": by.channel,
            "assurance": by.assurance,
            "action": action,
            "stage": stage.key if stage else None,
            "gate": gate.key if gate else None,
            "round": gate.round if gate else stage.round if stage else None,
            "decision": decision,
            "shown_digest": shown_digest,
            "comment": comment,
            "facts": facts or {},
        }
        before = self.rollout.head_hash or record.GENESIS
        self.rollout.sequence, self.rollout.head_hash = content["sequence"], record.entry_hash(before, content)
        append(self.session, AuditEntry, **content, previous_hash=before, entry_hash=self.rollout.head_hash)


@contextmanager
def locked(
    db: Database, keys: Sequence[bytes], rollout_id: str, now: datetime, actor: Actor = SYSTEM
) -> Iterator[Workspace]:
    """Open a write transaction on one rollout. Raises UnknownRollout."""
    with db.write() as session:
        yield lock(session, keys, rollout_id, now, actor)


def lock(session: Session, keys: Sequence[bytes], rollout_id: str, now: datetime, actor: Actor = SYSTEM) -> Workspace:
    """Lock one rollout in a transaction that has begun. Raises UnknownRollout."""
    rollout = session.scalars(rollout_locked(rollout_id).execution_options(populate_existing=True)).one_or_none()
    if rollout is None:
        raise UnknownRollout(f"There is no rollout “{rollout_id}”; `etappe rollout list` shows them all.")
    return Workspace(session, keys, rollout, now, actor)


LIVING_STAGES = frozenset({StageState.OPEN, StageState.HELD})
