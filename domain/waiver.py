"""Waiving a gate (“break glass”): who may let it pass without its quorum, and when, and who is passed over by it.

A waiver settles a gate for the round it is given in, whatever comes afterwards; of a measurement it is the override.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from domain.authority import OPERATOR
from domain.eligibility import Separation, Voice
from domain.reasons import Reason
from domain.states import LETS_PASS, GateState, StageState

REFUSED = frozenset({GateState.REJECTED, GateState.EXPIRED})
"""What holds a stage. Waiving it makes a new round of the gate, because a settled gate does not open again."""


def why_cannot_be_waived(gate: GateState, stage: StageState, *, renewal: bool = False) -> Reason | None:
    """Return why a gate in this state, in a stage in that one, cannot be waived; None when it can.

    `renewal`: whether it asks again what has passed before; then its stage may have passed.
    """
    if gate is GateState.WITHDRAWN:
        return Reason("The question was withdrawn; there is nothing left to waive.")
    if gate is GateState.WAIVED:
        return Reason("The gate was waived already.")
    if gate in LETS_PASS:
        return Reason("The gate has passed; there is nothing to waive.")
    return _why_not_in(stage, gate, renewal=renewal)


def _why_not_in(stage: StageState, gate: GateState, *, renewal: bool) -> Reason | None:
    waits = gate is GateState.WAITING and not renewal
    if (waits or gate in REFUSED) and stage is StageState.WAITING:
        return Reason("The stage of this gate is not open yet; a gate can be waived once its stage is open.")
    if waits and stage is StageState.HELD:
        return Reason("The stage of this gate is on hold; waive what holds it, or resume the rollout, first.")
    if (waits and stage is not StageState.OPEN) or (gate in REFUSED and stage is not StageState.HELD):
        return Reason("The stage of this gate does not wait for it; there is nothing to waive.")
    return None


def why_may_not_waive(person: str, named: Collection[str], separation: Separation) -> Reason | None:
    """Return why somebody may not waive a gate, or None when they may. All addresses in small letters.

    `named` are the people whom the gate's `waiver` names. Whoever the plan keeps from deciding the gate, and whoever
    has decided at a gate that other people must decide, cannot wave it through either.
    """
    if person == OPERATOR or "@" not in person:
        return Reason("A gate is waived by a person, in their own name: say who with --by.")
    if not named:
        return Reason("The plan names nobody who may waive this gate.")
    if person not in named:
        facts = {"person": person, "people": ", ".join(sorted(named))}
        return Reason("{person} may not waive this gate; the plan names {people}.", facts)
    if person in separation.excluded:
        return Reason("{person} may not waive this gate: the plan keeps them from deciding it.", {"person": person})
    if person in separation.decided_elsewhere:
        return Reason("{person} has decided at a gate that other people must decide.", {"person": person})
    return None


def passed_over(asked: Iterable[Voice], to_be_asked: Iterable[str], approved: Collection[str]) -> list[str]:
    """Return everybody whose approval a waiver does without, each once, in order.

    `asked` are those who were asked, whatever they have said; `to_be_asked` those whose turn had not come; `approved`
    the voices that have said yes. Of a voice that was lent, both who lends it and who gives it are passed over.
    """
    people = [
        person for voice in asked if voice.principal not in approved for person in (voice.person, voice.principal)
    ]
    return list(dict.fromkeys([*people, *(person for person in to_be_asked if person not in approved)]))
