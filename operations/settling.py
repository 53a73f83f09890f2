"""Settling gates: whether what is known meets the quorum, the target or the share, and what follows from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from domain.outcome import rejection_outcome
from domain.plan import AcknowledgementGate, AutomaticGate, ChecklistGate, outcome_of
from domain.quorum import Standing
from domain.reasons import Reason
from domain.states import DecisionKind, Event, GateState, Outcome, advance_gate
from models.gates import GateRow
from models.requests import VoidReason
from operations.asking import void_requests
from operations.automatic import Finding, found
from operations.clock import set_renewal
from operations.conditions import make_gates
from operations.evidence import pinned_now
from operations.telling import tell_outcome
from operations.telling_chat import tell_channels_of_outcome
from operations.voices import latest_decisions, members, tally_of
from operations.workspace import Workspace


def settle_gates(ws: Workspace) -> bool:
    """Settle every open gate that can be settled now. Returns whether one was."""
    settled = [gate for gate in ws.gates(GateState.OPEN) if _settle_if_due(ws, gate)]
    return bool(settled)


def _settle_if_due(ws: Workspace, gate: GateRow) -> bool:
    planned = ws.planned_gate(gate)
    if isinstance(planned, AutomaticGate):
        return _settle_by_facts(ws, gate, planned)
    if isinstance(planned, ChecklistGate) and gate.answers is None:
        return False
    if isinstance(planned, ChecklistGate) and not planned.approvers:
        settle(ws, gate, Event.PASSED, Outcome.GO, Reason("the list is complete"))
        return True
    return _settle_by_quorum(ws, gate)


def _settle_by_quorum(ws: Workspace, gate: GateRow) -> bool:
    tally = tally_of(ws, gate)
    facts: dict[str, str | int] = {"counted": tally.counted, "needed": tally.needed}
    if tally.standing is Standing.MET:
        settle(ws, gate, Event.PASSED, Outcome.GO, Reason("{counted} of {needed} needed voices", facts))
    elif tally.standing is Standing.OUT_OF_REACH:
        because = Reason("the {needed} needed voices can no longer be reached", facts)
        settle(ws, gate, Event.REJECTED, _rejection(ws, gate), because)
    return tally.standing is not Standing.OPEN


def _settle_by_facts(ws: Workspace, gate: GateRow, planned: AutomaticGate) -> bool:
    finding = found(ws, gate, planned)
    if finding is not None:
        settle_by_finding(ws, gate, planned, finding)
    return finding is not None


def settle_by_finding(ws: Workspace, gate: GateRow, planned: AutomaticGate, finding: Finding) -> None:
    """Settle a gate by what was found: it passes, or what its plan says on a no follows."""
    if finding.passed:
        settle(ws, gate, Event.PASSED, Outcome.GO, finding.because)
    else:
        settle(ws, gate, Event.REJECTED, outcome_of(planned.on_reject), finding.because)


def _rejection(ws: Workspace, gate: GateRow) -> Outcome:
    planned = ws.planned_gate(gate)
    default = outcome_of(planned.on_reject)
    if isinstance(planned, AcknowledgementGate):
        return default
    heard = members(gate)
    words = [word for voice, word in latest_decisions(ws, gate).items() if voice in heard]
    return rejection_outcome([word.choice for word in words if word.decision is DecisionKind.REJECT], default)


_VOID_BECAUSE = {Event.EXPIRED: VoidReason.EXPIRED, Event.WAIVED: VoidReason.WAIVED}


def settle(
    ws: Workspace,
    gate: GateRow,
    event: Event,
    outcome: Outcome,
    because: Reason,
    *,
    void: VoidReason | None = None,
    comment: str = "",
    facts: Mapping[str, Any] | None = None,
) -> None:
    """Settle a gate: nobody is asked any longer, and those concerned hear what it came to.

    `void` is what the links of those who were still asked say, unless the event says it; `comment` and `facts` go into
    the record, beside the outcome and why.
    """
    gate.state = advance_gate(gate.state, event)
    gate.outcome, gate.settled_at, gate.settled_because = outcome, ws.now, because.to_json()
    gate.renewal_due_at = None
    set_renewal(ws, gate)
    gate.remind_at = gate.escalate_at = gate.expires_at = gate.look_at = gate.paused_at = gate.problem = None
    gate.last_look, gate.failed_looks = None, 0
    if event is Event.PASSED:
        gate.pinned = pinned_now(ws, gate)
    void_requests(ws, gate, void or _VOID_BECAUSE.get(event, VoidReason.SETTLED))
    noted = {"outcome": outcome, "because": str(because), **(facts or {})}
    ws.note(f"gate.{event}", gate=gate, comment=comment, facts=noted)
    tell_outcome(ws, gate)
    tell_channels_of_outcome(ws, gate)
    if event is Event.PASSED:
        make_gates(ws, gate)
