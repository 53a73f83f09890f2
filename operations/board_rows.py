"""Rows of the board: some rollouts, each with where it stands and what it waits for. Read only.

All of them are read together, so it takes as many statements for fifty as for one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import TypeVar

from sqlalchemy.orm import Session

from domain.conditions import title_of
from domain.explanation import Asked
from domain.plan import Plan
from domain.reasons import Reason
from domain.states import GateState, RolloutState, StageState
from domain.waiver import REFUSED
from models import board as queries
from models.gates import GateRow
from models.people import people_called
from models.reading import read_once
from models.rollouts import Rollout, StageRow
from operations.absences import away_until
from operations.directory import Directory, Holders, holders_now
from operations.kept_plans import gate_of, plans_of

_R = TypeVar("_R", StageRow, GateRow)

MOST_NAMES = 4
"""How many people a gate is said to wait for by name; where there are more, one fewer is named than that."""


@dataclass(frozen=True)
class Awaited:
    """What a rollout waits for: a gate, or a stage that is on hold or in a queue. Titles are in the reader's language.

    `people` are those it waits for, or the first of them; `others` says how many more there are. `because` is what
    there is to say beside that. `due_at` is UTC.
    """

    title: str
    kind: str = ""
    people: tuple[Asked, ...] = ()
    others: int = 0
    due_at: datetime | None = None
    is_overdue: bool = False
    because: Reason | None = None


@dataclass(frozen=True)
class Row:
    """One rollout. It is in its state `since` (UTC), or was started then; `time_zone` is its plan's."""

    id: str
    title: str
    plan_title: str
    state: RolloutState
    since: datetime
    time_zone: str
    start_on: date | None
    stalled: tuple[Reason, ...]
    awaited: tuple[Awaited, ...]


def rows_of(session: Session, rollouts: Sequence[Rollout], now: datetime, language: str) -> tuple[Row, ...]:
    """Return these rollouts as the board shows them, titles in `language`, as they are at the moment `now` (aware)."""
    if not rollouts:
        return ()
    reading = _Reading(session, rollouts, now, language)
    return tuple(reading.row(rollout) for rollout in rollouts)


@dataclass
class _Reading:
    """What there is to know of some rollouts, read at once."""

    session: Session
    rollouts: Sequence[Rollout]
    now: datetime
    language: str

    def __post_init__(self) -> None:
        ids = [rollout.id for rollout in self.rollouts]
        self.stages = _by_rollout(self.session.scalars(queries.marked_stages(ids)))
        self.gates = _by_rollout(self.session.scalars(queries.gates_waited_at(ids)))
        self.turns: dict[str, list[tuple[StageRow, str]]] = defaultdict(list)
        for stage, resource in self.session.execute(queries.turns_waited_for(ids)):
            self.turns[stage.rollout_id].append((stage, resource))
        rows = [row for found in (self.stages, self.gates) for each in found.values() for row in each]
        own = {rollout.plan_version_id for rollout in self.rollouts}
        self.plans = plans_of(self.session, own | {row.plan_version_id for row in rows if row.plan_version_id})
        self._look_up_people()

    def row(self, rollout: Rollout) -> Row:
        plan = self.plans[rollout.plan_version_id]
        return Row(
            id=rollout.id,
            title=rollout.title,
            plan_title=plan.title.in_language(self.language),
            state=rollout.state,
            since=self._since(rollout),
            time_zone=plan.calendar.time_zone,
            start_on=rollout.start_on if rollout.state is RolloutState.WAITING else None,
            stalled=tuple(
                Reason("“{stage}” counts as stalled since {moment}.",
                       {"stage": self._stage_title(rollout, stage), "moment": stage.stalled_since})
                for stage in self.stages[rollout.id]
                if stage.state is StageState.OPEN and stage.stalled_since
            ),
            awaited=(
                *(self._held(rollout, stage) for stage in self._held_stages(rollout)),
                *(self._gate(rollout, gate) for gate in self.gates[rollout.id] if gate.state not in REFUSED),
                *(self._turn(rollout, *turn) for turn in self.turns[rollout.id]),
            ),
        )  # fmt: skip

    def _since(self, rollout: Rollout) -> datetime:
        if rollout.state is not RolloutState.HELD:
            return rollout.ended_at or rollout.created_at
        stopping = [gate for stage in self._held_stages(rollout) for gate in self._stopping(stage)]
        return min((gate.settled_at for gate in stopping if gate.settled_at), default=rollout.created_at)

    def _gate(self, rollout: Rollout, gate: GateRow) -> Awaited:
        people, asked = self.asked.get(gate.id, ((), 0))
        shown = people if asked == len(people) else people[: MOST_NAMES - 1]
        because = Reason("Nobody can be asked: {problem}", {"problem": gate.problem}) if gate.problem else None
        if gate.paused_at:
            facts = {"moment": gate.paused_at}
            because = Reason("Changes are asked for; until the owner answers, its clock stands still, since {moment}.",
                             facts)  # fmt: skip
        return Awaited(
            self._gate_title(rollout, gate),
            gate.kind if gate.state is GateState.OPEN else "",
            tuple(self._person(person, on_behalf_of) for person, on_behalf_of in shown),
            asked - len(shown),
            gate.due_at,
            gate.is_overdue(self.now),
            because,
        )

    def _held(self, rollout: Rollout, stage: StageRow) -> Awaited:
        titles = ", ".join(self._gate_title(rollout, gate) for gate in self._stopping(stage))
        return Awaited(
            self._stage_title(rollout, stage),
            people=tuple(self._person(owner) for owner in self._owners(rollout, stage)),
            because=Reason("On hold, because this did not pass: {gates}.", {"gates": titles}),
        )

    def _turn(self, rollout: Rollout, stage: StageRow, resource: str) -> Awaited:
        waits = Reason("Waits for its turn to use “{resource}”.", {"resource": resource})
        return Awaited(self._stage_title(rollout, stage), because=waits)

    def _held_stages(self, rollout: Rollout) -> list[StageRow]:
        return [stage for stage in self.stages[rollout.id] if stage.state is StageState.HELD]

    def _stopping(self, stage: StageRow) -> list[GateRow]:
        return [gate for gate in self.gates[stage.rollout_id] if gate.stage_id == stage.id and gate.state in REFUSED]

    def _plan(self, rollout: Rollout, row: StageRow | GateRow) -> Plan:
        return self.plans[row.plan_version_id or rollout.plan_version_id]

    def _stage_title(self, rollout: Rollout, stage: StageRow) -> str:
        return self._plan(rollout, stage).stage(stage.key).title.in_language(self.language)

    def _gate_title(self, rollout: Rollout, gate: GateRow) -> str:
        if gate.condition_id is not None:
            return title_of(self._promised[gate.condition_id]).in_language(self.language)
        return gate_of(self._plan(rollout, gate), gate.key).title.in_language(self.language)

    def _owners(self, rollout: Rollout, stage: StageRow) -> list[str]:
        owner = self._plan(rollout, stage).stage(stage.key).owner
        return list(dict.fromkeys([rollout.owner, *Directory.of(self._holders, rollout).resolve(owner)]))

    def _look_up_people(self) -> None:
        gates = [gate.id for each in self.gates.values() for gate in each if gate.state is GateState.OPEN]
        found: dict[int, tuple[list[tuple[str, str]], int]] = {}
        for gate_id, person, on_behalf_of, asked in self.session.execute(queries.first_asked_at(gates, MOST_NAMES)):
            people, _ = found.setdefault(gate_id, ([], asked))
            people.append((person, on_behalf_of))
        self.asked = found
        owners = {
            owner
            for rollout in self.rollouts
            for stage in self._held_stages(rollout)
            for owner in self._owners(rollout, stage)
        }
        named = owners | {address for people, _ in found.values() for pair in people for address in pair if address}
        self.people = {one.email: one.name for one in read_once(self.session, people_called, frozenset(named))}
        self.away = away_until(self.session, named, self.now)

    def _person(self, address: str, on_behalf_of: str = "") -> Asked:
        behalf = self.people.get(on_behalf_of, on_behalf_of)
        return Asked(address, self.people.get(address, address), behalf, self.away.get(address))

    @cached_property
    def _holders(self) -> Holders:
        return holders_now(self.session)

    @cached_property
    def _promised(self) -> dict[int, str]:
        """What was promised, by the ids of the conditions that have become gates here."""
        ids = [gate.condition_id for each in self.gates.values() for gate in each if gate.condition_id is not None]
        return {row.id: row.what for row in self.session.execute(queries.promises(ids))}


def _by_rollout(rows: Iterable[_R]) -> dict[str, list[_R]]:
    found: dict[str, list[_R]] = defaultdict(list)
    for row in rows:
        found[row.rollout_id].append(row)
    return found
