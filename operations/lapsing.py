"""Approvals that lapse because what they were given for has changed, and asking those people again."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from domain.pinning import Matters, changed_since, why_lapsed
from domain.reasons import Reason
from domain.states import GateState, StageState
from models.evidence import Lapse, standing_decisions_at
from models.gates import GateRow
from models.requests import Decision, Purpose, RequestState, VoidReason, requests_at
from operations.asking import ask_again, open_requests
from operations.clock import set_deadlines
from operations.evidence import kept, matters
from operations.objecting import begin_time_to_object, silence_counts
from operations.renewals import renewed_round
from operations.rounds import new_gate_round, reopen_passed
from operations.telling import inform, tell_again
from operations.withdraw_conditions import withdraw_conditions_of
from operations.workspace import Workspace


def lapse_what_changed(ws: Workspace) -> list[Decision]:
    """Let exactly those decisions lapse that were given for something else, and ask these people again; returns them.

    A gate that is open goes on; one that has passed is asked again in a new round, and its stage with it.
    """
    now = matters(ws)
    lapsed: list[Decision] = []
    for gate in ws.gates(GateState.WAITING, GateState.OPEN, GateState.PASSED):
        counted = _decisions(ws, gate)
        gone = [one for one in counted if _lapse(ws, now, gate, one)]
        lapsed += gone
        if gate.state is GateState.PASSED:
            if gone or _changed(ws, now, gate.pinned or {}):
                withdraw_conditions_of(ws, {one.id for one in counted})
                _ask_anew(ws, gate)
            continue
        lapsed += _lapse_what_is_renewed(ws, now, gate)
        if gone:
            _ask_these_again(ws, gate, gone)
        if gate.state is GateState.OPEN and silence_counts(ws, gate):
            _tell_the_silent(ws, now, gate, {one.voice for one in gone})
    return lapsed


def _decisions(ws: Workspace, gate: GateRow) -> list[Decision]:
    """What still counts of what was said in this round."""
    return [one for one in ws.read(standing_decisions_at, gate.id) if one.decision.is_final]


def _lapse_what_is_renewed(ws: Workspace, now: Matters, gate: GateRow) -> list[Decision]:
    """While a gate is asked again for renewal, what passed before holds on, unless what it was given for changes.

    That the renewal has its list filled in anew changes nothing about it. A waiver stays.
    """
    before = renewed_round(ws, gate)
    if before is None or before.state is not GateState.PASSED:
        return []
    counted = _decisions(ws, before)
    gone = [one for one in counted if _lapse(ws, now, gate, one)]
    if gone or _changed(ws, now, before.pinned or {}, besides_list_of=gate.key):
        withdraw_conditions_of(ws, {one.id for one in counted})
        _renewal_becomes_ordinary(ws, gate)
    return gone


def _changed(ws: Workspace, now: Matters, pinned: Mapping[str, str], *, besides_list_of: str = "") -> dict[str, Any]:
    """Return what has changed of what was pinned: each name, with what it stood for; besides one gate's list."""
    moved = changed_since(pinned, now)
    before = {name: kept(ws, pinned[name]) for name in moved}
    if besides_list_of in before and _words(before[besides_list_of]) == _words(now.content(besides_list_of)):
        del before[besides_list_of]
    return before


def _words(content: Any) -> Any:
    return {key: value for key, value in (content or {}).items() if key != "answers"}


def _lapse(ws: Workspace, now: Matters, gate: GateRow, decision: Decision) -> bool:
    renewed = gate.key if decision.gate_id != gate.id else ""
    for name, before in _changed(ws, now, decision.pinned, besides_list_of=renewed).items():
        because = why_lapsed(name, ws.plan, before, now.content(name), ws.rollout.language)
        record_lapse(ws, gate, decision, name, because)
        return True
    return False


def record_lapse(ws: Workspace, gate: GateRow, decision: Decision, name: str, because: Reason) -> None:
    """Write down that a decision no longer counts, and why."""
    ws.session.add(
        Lapse(
            decision_id=decision.id,
            rollout_id=ws.rollout.id,
            gate_id=decision.gate_id,
            name=name,
            because=because.to_json(),
            lapsed_at=ws.now,
        )
    )
    ws.session.flush()
    facts = {"decision": decision.id, "voice": decision.voice, "changed": name, "because": str(because)}
    ws.note("decision.lapsed", gate=gate, facts=facts)


def _ask_these_again(ws: Workspace, gate: GateRow, gone: Iterable[Decision]) -> None:
    """Those whose voices they were are asked again, and whoever they have lent them to now."""
    voices = {decision.voice for decision in gone}
    for request in ws.read(requests_at, gate.id):
        spoken_for = request.state is RequestState.VOID and request.void_reason is VoidReason.SPOKEN_FOR
        own = request.person in voices and not request.on_behalf_of
        if own and (request.state is RequestState.DONE or spoken_for):
            ask_again(ws, request, VoidReason.LAPSED)


def _tell_the_silent(ws: Workspace, now: Matters, gate: GateRow, told: Collection[str]) -> None:
    """Silence is no consent to something else than was asked about: whoever has not answered hears what has changed.

    `told` are the voices that are asked again, because what they said has lapsed.
    """
    changed = _changed(ws, now, gate.pinned or {})
    if not changed:
        return
    begin_time_to_object(ws, gate)
    language = ws.rollout.language
    because = [why_lapsed(name, ws.plan, before, now.content(name), language) for name, before in changed.items()]
    title = ws.planned_gate(gate).title.in_language(language)
    silent = [row for row in open_requests(ws, gate, [Purpose.DECIDE]) if row.voice not in told]
    inform(
        ws,
        [request.person for request in silent],
        Reason("What you are asked at “{gate}” has changed", {"gate": title}),
        [*because, Reason("Silence counts as consent here, so the time to object begins anew.")],
        gate=gate,
    )
    for request in silent if gate.paused_at is None else ():  # while it is, whoever answers tells them
        tell_again(ws, request)


def _ask_anew(ws: Workspace, gate: GateRow) -> None:
    stage = ws.stage_of(gate)
    if stage.state is StageState.PASSED:
        stage = reopen_passed(ws, stage)
    gate.renew_at = None
    new_gate_round(ws, gate, stage)


def _renewal_becomes_ordinary(ws: Workspace, gate: GateRow) -> None:
    """What a renewal would have renewed no longer counts: the gate is asked as if for the first time."""
    gate.renewal, gate.overdue_at = False, None
    set_deadlines(ws, gate)
    stage = ws.stage_of(gate)
    if stage.state is StageState.PASSED:
        reopen_passed(ws, stage)
