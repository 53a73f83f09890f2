"""What Prefect's page should show of a rollout: its bars, its table of gates, its state in one sentence. Read only."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from domain.reasons import Reason
from domain.run import RunState
from domain.states import ENDED, GateState, RolloutState, StageState
from models.absences import absences_now_of
from models.database import Database
from models.evidence import standing_decisions_at
from models.exclusive import claims_of
from models.gates import GateRow, all_gates, current_gates
from models.people import people_called
from models.prefect_page import Bar, bars_of
from models.reading import all_found, ask, read_each
from models.record import moment_of
from models.requests import Decision, Request, RequestState, requests_at
from models.rollouts import Rollout, StageRow, all_stages, current_stages, rollouts_called
from notifications.facts import Said
from notifications.language import Words
from operations.question import names_asked_now, said_at
from operations.queues import sentence, waiting_stages
from operations.voices import silent_at, tally_of
from operations.waiting import waits_for
from operations.workspace import LIVING_STAGES, Workspace


@dataclass(frozen=True)
class StartedRun:
    """The flow run that a gate has started."""

    flow_run_id: str
    name: str
    state: RunState


@dataclass(frozen=True)
class BarFacts:
    """One bar as it should look: `state` is a StageState or GateState value.

    It spans the time from `began_at` to `ended_at`, UTC; None while it is not over.
    """

    subject: str  # "stage" or "gate"
    subject_id: int
    title: Reason
    state: str
    began_at: datetime
    ended_at: datetime | None
    because: Reason | None
    said: tuple[Said, ...] = ()  # for the message of a settled gate
    kind: str = ""  # the gate's
    run: StartedRun | None = None


@dataclass(frozen=True)
class GateLine:
    """One line of the table of gates."""

    stage: str
    gate: str
    state: GateState
    round: int
    kind: str
    said: tuple[Said, ...]
    by_silence: bool
    because: Reason | None
    waiting_for: tuple[str, ...]
    due_at: datetime | None
    problem: str | None
    waits: tuple[Reason, ...] = ()  # for something else than people
    run: StartedRun | None = None
    stalled: bool = False  # its stage


@dataclass(frozen=True)
class Chart:
    """Everything Prefect's page shows of a rollout as of audit entry `sequence` of `as_of`; it last showed `shown`."""

    rollout_id: str
    flow_run_id: str
    sequence: int
    as_of: datetime
    shown: int
    title: str
    language: str
    time_zone: str
    state: RolloutState
    finished: bool
    ended_because: str
    held_at: tuple[GateLine, ...]  # the gates that put it on hold
    back_at: tuple[str, ...]  # titles of the open stages that the rollout has gone back to
    waiting_for: tuple[str, ...]  # names
    queued: tuple[Reason, ...]  # which stages wait for what, and who uses it
    problems: tuple[str, ...]  # why nobody can be asked
    bars: tuple[BarFacts, ...]
    painted: dict[tuple[str, int], Bar]
    gates: tuple[GateLine, ...]


def chart(db: Database, rollout_id: str, now: datetime) -> Chart | None:
    """Return what Prefect's page should show; None for a rollout without a flow run."""
    return charts(db, [rollout_id], now)[rollout_id]


def charts(db: Database, rollout_ids: Collection[str], now: datetime) -> dict[str, Chart | None]:
    """Return what Prefect's pages of these rollouts should show, by rollout; None for one without a flow run.

    All are of one moment, and are read together: what is asked for one of them is asked for all of them at once.
    """
    with db.read() as session:
        rollouts = {row.id: row for row in ask(session, rollouts_called, rollout_ids).scalars()}
        held = _read_ahead(session, [row for row in rollouts.values() if row.flow_run_id], now)
        found = {rollout_id: _chart(session, rollouts[rollout_id], now) for rollout_id in rollout_ids}
        del held  # a session forgets rows that nobody holds
        return found


def _read_ahead(session: Session, rollouts: Sequence[Rollout], now: datetime) -> list[object]:
    """Read what charts look at; whoever draws them finds it in this session. Return what has to be held for that."""
    its = [(row.id,) for row in rollouts]
    read_each(session, moment_of, [(row.id, row.sequence) for row in rollouts])
    read_each(session, bars_of, [(row.flow_run_id or "",) for row in rollouts])
    read_each(session, claims_of, its)
    read_each(session, current_stages, its)
    read_each(session, current_gates, its)
    stages = all_found(read_each(session, all_stages, its))
    gates = all_found(read_each(session, all_gates, its))
    of_gates = [(gate.id,) for gate in gates if _is_shown(gate)]
    words = all_found(read_each(session, standing_decisions_at, of_gates))
    asked = all_found(read_each(session, requests_at, of_gates))
    waited_for = {row.person for row in asked if row.state is RequestState.OPEN}
    spoken: list[Decision | Request] = [*words, *asked]
    people = {person for row in spoken for person in (row.person, row.voice)}
    away = all_found(read_each(session, absences_now_of, [(frozenset((one,)), now) for one in waited_for]))
    named = all_found(read_each(session, people_called, [(frozenset((one,)),) for one in people]))
    return [*stages, *gates, *spoken, *away, *named]


def _chart(session: Session, rollout: Rollout, now: datetime) -> Chart | None:
    if rollout.flow_run_id is None:
        return None
    ws = Workspace.to_look_at(session, rollout, now)
    gates = [gate for gate in ws.read(all_gates, rollout.id) if _is_shown(gate)]
    in_order = sorted(gates, key=lambda gate: (ws.stage_of(gate).position, gate.position))
    lines = tuple(_line(ws, gate) for gate in in_order if gate.current)
    return Chart(
        rollout_id=rollout.id,
        flow_run_id=rollout.flow_run_id,
        sequence=rollout.sequence,
        as_of=ws.read(moment_of, rollout.id, rollout.sequence)[0],
        shown=rollout.painted,
        title=rollout.title,
        language=rollout.language,
        time_zone=ws.plan.calendar.time_zone,
        state=rollout.state,
        finished=rollout.state in ENDED,
        ended_because=rollout.ended_because or "",
        held_at=tuple(_line(ws, gate) for gate in gates if _holds(ws, gate)),
        back_at=_back_at(ws),
        waiting_for=tuple(dict.fromkeys(name for line in lines for name in line.waiting_for)),
        queued=_queued(ws),
        problems=tuple(dict.fromkeys(line.problem for line in lines if line.problem)),
        bars=(*_stage_bars(ws), *_gate_bars(ws, gates)),
        painted={(bar.subject, bar.subject_id): bar for bar in ws.read(bars_of, rollout.flow_run_id)},
        gates=lines,
    )


def _is_shown(gate: GateRow) -> bool:
    """Whether a gate was opened or may still be; of rounds that are over there may be others."""
    return bool(gate.opened_at or gate.current)


def _back_at(ws: Workspace) -> tuple[str, ...]:
    again = [stage for stage in ws.stages() if stage.state is StageState.OPEN and stage.round > 1]
    return tuple(ws.planned_stage(stage).title.in_language(ws.rollout.language) for stage in again)


def _queued(ws: Workspace) -> tuple[Reason, ...]:
    waiting = waiting_stages(ws.session, ws.rollout.id)
    titled = [(ws.planned_stage(stage).title.in_language(ws.rollout.language), stage.id) for stage in ws.stages()]
    return tuple(sentence(title, waiting[stage_id]) for title, stage_id in titled if stage_id in waiting)


def _stage_bars(ws: Workspace) -> list[BarFacts]:
    stages = ws.read(all_stages, ws.rollout.id)
    return [_stage_bar(ws, stage, stage.opened_at) for stage in stages if stage.opened_at]


def _stage_bar(ws: Workspace, stage: StageRow, began_at: datetime) -> BarFacts:
    facts: dict[str, str | int | datetime] = {"title": ws.planned_stage(stage).title.in_language(ws.rollout.language)}
    title = Reason("Stage: {title}", facts)
    if stage.round > 1:
        title = Reason("Stage: {title}, round {round}", {**facts, "round": stage.round})
    ended_at = None if stage.state in LIVING_STAGES else stage.closed_at
    return BarFacts("stage", stage.id, title, stage.state, began_at, ended_at, None)


def _gate_bars(ws: Workspace, gates: Iterable[GateRow]) -> Iterator[BarFacts]:
    """What was waived before anybody was asked is marked, too."""
    for gate in gates:
        waived_at = gate.settled_at if gate.state is GateState.WAIVED else None
        if began_at := gate.opened_at or waived_at:
            yield _gate_bar(ws, gate, began_at)


def _gate_bar(ws: Workspace, gate: GateRow, began_at: datetime) -> BarFacts:
    facts: dict[str, str | int | datetime] = {"title": _gate_title(ws, gate), "round": gate.round}
    return BarFacts(
        "gate",
        gate.id,
        title=_bar_title(ws, gate, facts),
        state=gate.state,
        began_at=began_at,
        ended_at=None if gate.state in (GateState.WAITING, GateState.OPEN) else gate.settled_at,
        because=_because(gate),
        said=said_at(ws, gate),
        kind=gate.kind,
        run=started_run(gate),
    )


def _bar_title(ws: Workspace, gate: GateRow, facts: dict[str, str | int | datetime]) -> Reason:
    title = Reason("Gate: {title}", facts)
    if gate.requirements:
        tally = tally_of(ws, gate)
        facts |= {"counted": tally.counted, "needed": tally.needed}
        title = Reason("Gate: {title} ({counted} of {needed})", facts)
        if gate.renewal:
            title = Reason("Gate: {title} ({counted} of {needed}), renewal", facts)
        elif gate.round > 1:
            title = Reason("Gate: {title} ({counted} of {needed}), round {round}", facts)
    elif gate.renewal:
        title = Reason("Gate: {title}, renewal", facts)
    elif gate.round > 1:
        title = Reason("Gate: {title}, round {round}", facts)
    return title


def _line(ws: Workspace, gate: GateRow) -> GateLine:
    row = ws.stage_of(gate)
    stage = ws.planned_stage(row)
    words = Words(ws.rollout.language, ws.plan.calendar.time_zone)
    return GateLine(
        stage=stage.title.in_language(ws.rollout.language),
        gate=_gate_title(ws, gate),
        state=gate.state,
        round=gate.round,
        kind=gate.kind,
        said=said_at(ws, gate),
        by_silence=bool(silent_at(ws, gate)),
        because=_because(gate),
        waiting_for=tuple(dict.fromkeys(names_asked_now(ws, gate, words).values())),
        due_at=gate.due_at,
        problem=gate.problem,
        waits=waits_for(ws, gate),
        run=started_run(gate),
        stalled=row.state is StageState.OPEN and row.stalled_since is not None,
    )


def started_run(gate: GateRow) -> StartedRun | None:
    """Return the flow run that a gate has started, None when it has not."""
    if gate.started_run is None or gate.started_run_state is None:
        return None
    return StartedRun(gate.started_run, gate.started_run_name or "", gate.started_run_state)


def _because(gate: GateRow) -> Reason | None:
    return Reason.from_json(gate.settled_because) if gate.settled_because else None


def _gate_title(ws: Workspace, gate: GateRow) -> str:
    return ws.planned_gate(gate).title.in_language(ws.rollout.language)


def _holds(ws: Workspace, gate: GateRow) -> bool:
    refused = gate.current and gate.state in (GateState.REJECTED, GateState.EXPIRED)
    return refused and ws.stage_of(gate).state is StageState.HELD
