"""Escalating before its time: when the plan's next level may be taken at once.

Who may ask for it is domain/authority.py's; what a level does is operations/attend_gate.py's.
"""

from __future__ import annotations

from domain.reasons import Reason
from domain.states import GateState


def why_cannot_be_escalated(state: GateState, levels_left: int, *, paused: bool) -> Reason | None:
    """Return why a gate cannot be escalated now, or None when it can.

    `levels_left` is how many of the plan's levels were not taken yet; `paused` whether the clock stands still, because
    changes are asked for: nobody could decide then, whoever is asked.
    """
    if state is not GateState.OPEN:
        return Reason("The gate is not open; there is nothing to escalate.")
    if paused:
        return Reason("Changes are asked for; a gate is not escalated before its owner has answered.")
    if levels_left < 1:
        return Reason("The plan names nobody else for this gate; no level of escalation is left.")
    return None
