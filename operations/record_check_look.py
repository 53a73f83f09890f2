"""Record what an https address answered when Etappe asked it, or that it did not answer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from domain.checks import CheckAnswer, CheckVerdict, because, unanswered
from domain.plan import CheckGate
from models.database import Database
from models.gates import GateRow
from operations.automatic import Finding, system_of
from operations.looking import CHANNEL, look_again, looked
from operations.looks import Look
from operations.progress import progress
from operations.record_check import settle_check
from operations.settling import settle_by_finding
from operations.workspace import Actor, Workspace


def record_check_look(db: Database, keys: Sequence[bytes], look: Look, found: CheckAnswer | str, now: datetime) -> None:
    """Record an answer, or, as a text, why there was none. Changes nothing when the look is outdated.

    Pass and fail settle the gate; after wait, and after no answer, it is asked again. So many looks without an answer
    in a row as its plan says are a fail.
    """
    planned = look.asks
    if not isinstance(planned, CheckGate):
        raise TypeError(f"the gate {look.gate} is not a check")
    actor = Actor(f"check:{system_of(planned)}", CHANNEL, "https")
    with looked(db, keys, look, actor, now) as current:
        if current is None:
            return
        ws, gate = current
        if isinstance(found, str):
            _not_answered(ws, gate, planned, found)
        elif found.verdict is CheckVerdict.WAIT:
            gate.failed_looks = 0
            look_again(ws, gate, planned.every, because(system_of(planned), found))
        else:
            settle_check(ws, gate, planned, found)


def _not_answered(ws: Workspace, gate: GateRow, planned: CheckGate, problem: str) -> None:
    gate.failed_looks += 1
    why = unanswered(system_of(planned), gate.failed_looks, problem)
    if gate.failed_looks == 1:
        ws.note("check.unanswered", gate=gate, comment=problem)
    if gate.failed_looks < planned.tries:
        look_again(ws, gate, planned.every, why)
        return
    ws.note("check.recorded", gate=gate, decision=CheckVerdict.FAIL, comment=str(why))
    settle_by_finding(ws, gate, planned, Finding(False, why))
    progress(ws)
