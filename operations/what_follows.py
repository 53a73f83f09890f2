"""What a yes, a no and silence lead to at one gate, said to whoever is asked there. Read only."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

from domain import consequences, silence
from domain.plan import Gate
from domain.reasons import Reason
from domain.states import GateState, StageState
from models.gates import GateRow
from models.requests import Purpose, Request, RequestState, requests_at
from operations.progress import recycle_target
from operations.voices import latest_decisions
from operations.workspace import Workspace


def on_yes(planned: Gate, request: Request, still_needed: int) -> Reason:
    """Return what doing what is asked leads to; `still_needed` voices are missing, this one included."""
    if request.purpose is Purpose.RESPOND:
        return consequences.ON_ANSWERED
    if request.purpose in (Purpose.ANSWER, Purpose.MEASURE):
        return consequences.on_filled(planned)
    return consequences.on_yes(planned, still_needed)


def on_no(ws: Workspace, gate: GateRow, request: Request, language: str) -> Reason | None:
    """Return what a refusal leads to; None where there is none to give."""
    if request.purpose is Purpose.RESPOND:
        return None
    return consequences.on_no(ws.planned_gate(gate), _recycle_title(ws, gate, language))


def on_silence(ws: Workspace, gate: GateRow, names: Callable[[str], str], language: str) -> Reason:
    """Return what comes by itself when nobody says anything. `names` gives the name of an address."""
    if gate.paused_at is not None:
        return consequences.WHILE_PAUSED
    planned, people = ws.planned_gate(gate), ""
    if gate.renewal:
        return consequences.on_renewal_silence(planned, gate.renewal_due_at)
    if gate.state is GateState.OPEN and gate.escalate_at:
        to = planned.escalate[gate.escalation_level].to
        people = ", ".join(names(person) for person in ws.directory.resolve(to))
    words = {names(voice): word.decision for voice, word in latest_decisions(ws, gate).items()}
    return consequences.on_silence(
        planned,
        gate.expires_at,
        _recycle_title(ws, gate, language),
        gate.escalate_at,
        people,
        silence.objections(words),
    )


def what_comes(ws: Workspace, gate: GateRow, names: Callable[[str], str], language: str) -> tuple[Reason, ...]:
    """Return all that comes by itself at an open gate, in the order of coming. `names` gives the name of an address."""
    coming = [*_reminder(ws, gate), *_escalation(ws, gate, names), *_time_up(ws, gate, names, language)]
    stands_still = (consequences.WHILE_PAUSED,) if gate.paused_at else ()
    in_order = sorted([*coming, *_stall(ws, gate)], key=lambda pair: pair[0])
    return *stands_still, *(reason for _, reason in in_order)


_Coming = Iterator[tuple[datetime, Reason]]


def _reminder(ws: Workspace, gate: GateRow) -> _Coming:
    requests = ws.read(requests_at, gate.id)
    if gate.remind_at and any(request.state is RequestState.OPEN for request in requests):
        reminded = Reason("On {moment} whoever has not answered is reminded.", {"moment": gate.remind_at})
        yield gate.remind_at, reminded


def _escalation(ws: Workspace, gate: GateRow, names: Callable[[str], str]) -> _Coming:
    if gate.escalate_at:
        planned = ws.planned_gate(gate)
        level = planned.escalate[gate.escalation_level]
        people = ", ".join(names(person) for person in ws.directory.resolve(level.to))
        yield gate.escalate_at, consequences.on_escalation(planned, level, gate.escalate_at, people)


def _time_up(ws: Workspace, gate: GateRow, names: Callable[[str], str], language: str) -> _Coming:
    planned = ws.planned_gate(gate)
    if gate.renewal and gate.renewal_due_at:
        yield gate.renewal_due_at, consequences.on_renewal_silence(planned, gate.renewal_due_at)
    elif gate.expires_at:
        words = {names(voice): word.decision for voice, word in latest_decisions(ws, gate).items()}
        title = _recycle_title(ws, gate, language)
        expiry = consequences.on_expiry(planned, gate.expires_at, title, silence.objections(words))
        yield gate.expires_at, expiry


def _stall(ws: Workspace, gate: GateRow) -> _Coming:
    stage = ws.stage_of(gate)
    if stage.state is StageState.OPEN and stage.stalled_at:
        yield (
            stage.stalled_at,
            Reason(
                "If its stage is still open on {moment}, it counts as stalled; those who look after it then hear why.",
                {"moment": stage.stalled_at},
            ),
        )


def _recycle_title(ws: Workspace, gate: GateRow, language: str) -> str:
    return ws.plan_of(gate).stage(recycle_target(ws, gate)).title.in_language(language)
