"""Record what another system says at a check; its gate is settled by it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.checks import CheckAnswer, CheckVerdict, because
from domain.errors import CallTaken, GateNotOpen, NotAllowed, NotFound
from domain.evidence import digest
from domain.plan import CheckGate
from domain.reasons import Reason
from domain.states import ENDED, GateState
from models.access import SignedCall, signed_calls_before
from models.base import insert_once
from models.database import Database
from models.gates import GateRow
from operations.automatic import Finding, system_of
from operations.progress import progress
from operations.settling import settle_by_finding
from operations.workspace import Actor, Workspace, locked

CHANNEL, ASSURANCE = "call", "signature"
_REMEMBERED = timedelta(days=1)


@dataclass(frozen=True)
class Call:
    """A signed call: the name of the key it is signed with, and its message's id."""

    key_name: str
    message_id: str


@dataclass(frozen=True)
class Recorded:
    """What was recorded, and whether that was by an earlier call of the same id."""

    round: int
    answer: CheckAnswer
    recorded_at: datetime
    repeated: bool


def record_check(
    db: Database, keys: Sequence[bytes], rollout_id: str, gate_key: str, answer: CheckAnswer, call: Call, now: datetime
) -> Recorded:
    """Record a signed call's pass or fail. The same call once more changes nothing and returns what was recorded.

    Raises UnknownRollout, NotFound for no such check, NotAllowed when it is signed with another key than its plan
    names, CallTaken when the id was used for something else, and GateNotOpen.
    """
    said = digest([rollout_id, gate_key, answer.verdict, answer.message])
    with locked(db, keys, rollout_id, now, Actor(f"check:{call.key_name}", CHANNEL, ASSURANCE)) as ws:
        gate, planned = _check(ws, gate_key, call)
        if taken := ws.session.get(SignedCall, (call.key_name, call.message_id)):
            return _repeated(gate, answer, taken, said)
        _refuse_unless_open(ws, gate)
        _take(ws, call, said)
        settle_check(ws, gate, planned, answer)
        return Recorded(gate.round, answer, now, False)


def _check(ws: Workspace, gate_key: str, call: Call) -> tuple[GateRow, CheckGate]:
    gate = next((row for row in ws.gates() if row.key == gate_key), None)
    planned = ws.planned_gate(gate) if gate else None
    if gate is None or not isinstance(planned, CheckGate):
        raise NotFound(f"The rollout “{ws.rollout.id}” has no check called “{gate_key}”.")
    if planned.signed_with != call.key_name:
        raise NotAllowed(Reason("The plan names another key for this check; nothing was recorded."))
    return gate, planned


def _repeated(gate: GateRow, answer: CheckAnswer, taken: SignedCall, said: str) -> Recorded:
    if taken.said != said:
        raise CallTaken()
    return Recorded(gate.round, answer, taken.taken_at, True)


def _refuse_unless_open(ws: Workspace, gate: GateRow) -> None:
    if ws.rollout.state in ENDED:
        raise GateNotOpen(Reason("The rollout is {state}; nothing was recorded.", {"state": ws.rollout.state}))
    if gate.state is GateState.WAITING:
        raise GateNotOpen(Reason("It is not this gate's turn yet; nothing was recorded."))
    if gate.state is not GateState.OPEN:
        facts = {"state": gate.state}
        raise GateNotOpen(Reason("The gate is settled already: {state}; nothing was recorded.", facts))


def _take(ws: Workspace, call: Call, said: str) -> None:
    """Take the call's id, once, also when the same id comes for two rollouts at the same time; forget old ones."""
    ws.session.execute(signed_calls_before(ws.now - _REMEMBERED))
    names = {"key_name": call.key_name, "message_id": call.message_id}
    insert_once(ws.session, SignedCall, **names, said=said, taken_at=ws.now)
    if ws.session.get_one(SignedCall, tuple(names.values()), populate_existing=True).said != said:
        raise CallTaken()


def settle_check(ws: Workspace, gate: GateRow, planned: CheckGate, answer: CheckAnswer) -> None:
    """Write down another system's pass or fail, settle its gate, and do what follows."""
    ws.note("check.recorded", gate=gate, decision=answer.verdict, comment=answer.message)
    passed = answer.verdict is CheckVerdict.PASS
    settle_by_finding(ws, gate, planned, Finding(passed, because(system_of(planned), answer)))
    progress(ws)
