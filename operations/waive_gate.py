"""Waive a gate: somebody whom the plan names lets it pass without its quorum; all who are passed over are told why."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from domain import typed_text
from domain.errors import InvalidInput, NotAllowed, RolloutEnded
from domain.reasons import Reason
from domain.states import ENDED, Event, Outcome
from domain.waiver import REFUSED, why_cannot_be_waived
from models.database import Database
from models.gates import GateRow
from operations.naming import name_of, names_of
from operations.progress import progress, release
from operations.resume_rollout import ask_again
from operations.separating import separate
from operations.settling import settle
from operations.telling import inform
from operations.waiving import skipped_at, why_not_waived_by
from operations.workspace import Actor, Workspace, locked

LONGEST_REASON = 2000  # characters
MOST_NAMES = 10
"""How many are named in one sentence; an acknowledgement may pass over a whole company."""


def waive_gate(
    db: Database, keys: Sequence[bytes], rollout_id: str, gate_key: str, reason: str, actor: Actor, now: datetime
) -> None:
    """Let a gate pass without its quorum, for this round; a gate that holds its stage is waived in a new round.

    The same waiver again changes nothing. Raises UnknownRollout, NotFound for an unknown gate, NotAllowed for somebody
    who may not, RolloutEnded, and InvalidInput without a reason or where there is nothing to waive.
    """
    words = typed_text.clean_text(reason, LONGEST_REASON)
    if not words:
        raise InvalidInput("Waiving a gate needs a reason.", {"reason": Reason("Say why it goes on without.")})
    with locked(db, keys, rollout_id, now, actor) as ws:
        gate = ws.gate_called(gate_key)
        if not _is_repeated(ws, gate, words):
            _refuse(ws, gate)
            _waive(ws, gate, words)


def _is_repeated(ws: Workspace, gate: GateRow, words: str) -> bool:
    return gate.waived_by == ws.actor.address and gate.settled_because == _because(ws, words).to_json()


def _refuse(ws: Workspace, gate: GateRow) -> None:
    if ws.rollout.state in ENDED:
        raise RolloutEnded(f"The rollout is {ws.rollout.state}; there is nothing left to waive.")
    if why := why_cannot_be_waived(gate.state, ws.stage_of(gate).state, renewal=gate.renewal):
        raise InvalidInput(why)
    if why := why_not_waived_by(ws, gate, ws.actor.address):
        raise NotAllowed(why)


def _waive(ws: Workspace, gate: GateRow, words: str) -> None:
    skipped = [person for person in skipped_at(ws, gate) if person != ws.actor.address]
    if gate.state in REFUSED:
        gate = _in_a_new_round(ws, gate, words)
    gate.waived_by = ws.actor.address
    facts = {"skipped": skipped}
    settle(ws, gate, Event.WAIVED, Outcome.GO, _because(ws, words), comment=words, facts=facts)
    _tell(ws, gate, words, skipped)
    ws.session.flush()
    separate(ws, gate)
    progress(ws)


def _in_a_new_round(ws: Workspace, gate: GateRow, words: str) -> GateRow:
    """A settled gate does not open again, so what holds the stage is put aside, and the stage goes on."""
    ask_again(ws, ws.stage_of(gate), [gate])
    release(ws, words)
    return ws.gate_called(gate.key)


def _because(ws: Workspace, words: str) -> Reason:
    return Reason("waived by {person}: “{reason}”", {"person": name_of(ws, ws.actor.address), "reason": words})


def _tell(ws: Workspace, gate: GateRow, words: str, skipped: list[str]) -> None:
    """Tell whoever is passed over, requester and owner; and whoever waived, who would see if it was not them."""
    title = ws.planned_gate(gate).title.in_language(ws.rollout.language)
    facts: dict[str, str | int] = {"person": name_of(ws, ws.actor.address), "people": _names(ws, skipped)}
    sentences = [Reason("{person} let the gate pass without the answers that the plan asks for.", facts)]
    if skipped:
        sentences.append(Reason("Passed over: {people}. Links that were mailed no longer count.", facts))
    inform(
        ws,
        [*skipped, ws.rollout.requester, ws.rollout.owner, ws.actor.address],
        Reason("“{gate}” was waived", {"gate": title}),
        sentences,
        gate=gate,
        quote=words,
        quoted=ws.actor.address,
    )


def _names(ws: Workspace, people: list[str]) -> str:
    more = f", + {len(people) - MOST_NAMES}" if len(people) > MOST_NAMES else ""
    return names_of(ws, people[:MOST_NAMES]) + more
