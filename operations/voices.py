"""Whose word counts at a gate: everybody's last one that has not lapsed, and who may speak there at all. Read only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from domain import quorum
from domain.eligibility import Separation, Voice, why_may_not_speak
from domain.quorum import Requirement, Tally
from domain.reasons import Reason
from domain.separation import separated_from
from domain.states import LETS_PASS, DecisionKind
from models.evidence import standing_decisions_at
from models.gates import GateRow, gate_in_round
from models.requests import Decision, VoidReason, decisions_at, requests_at
from operations.workspace import Workspace


def latest_decisions(ws: Workspace, gate: GateRow) -> dict[str, Decision]:
    """Each voice's last word at a gate, by whose voice it is; what has lapsed is left out."""
    return {decision.voice: decision for decision in ws.read(standing_decisions_at, gate.id)}


def wishes(ws: Workspace, gate: GateRow) -> list[Decision]:
    """Return the requests for changes since the gate's clock stopped, of those who have said nothing else since."""
    if gate.paused_at is None:
        return []
    still = {voice for voice, word in latest_decisions(ws, gate).items() if _is_wish(word)}
    words = ws.read(decisions_at, gate.id)
    return [word for word in words if _is_wish(word) and word.voice in still and word.decided_at >= gate.paused_at]


def _is_wish(word: Decision) -> bool:
    return word.decision is DecisionKind.REQUEST_CHANGES


def tally_of(ws: Workspace, gate: GateRow, without: Iterable[str] = ()) -> Tally:
    """Count the voices at a gate, as if those `without` whom it has to do said nothing more."""
    latest = latest_decisions(ws, gate)
    words = {voice: decision.decision for voice, decision in latest.items()}
    binding = getattr(ws.planned_gate(gate), "binding", True)
    return tally(gate, words, binding, _silenced(ws, gate, latest.values()).union(without))


def tally(gate: GateRow, decisions: Mapping[str, DecisionKind], binding: bool, silenced: Iterable[str] = ()) -> Tally:
    """Count these voices by the quorum that was resolved when the gate opened."""
    return quorum.evaluate(requirements_of(gate), decisions, frozenset(gate.stand_ins), binding, frozenset(silenced))


def members(gate: GateRow) -> frozenset[str]:
    """Return the people whose voice counts at a gate: those it takes, and those escalated to."""
    return frozenset(gate.stand_ins).union(*(requirement["members"] for requirement in gate.requirements))


def requirements_of(gate: GateRow) -> tuple[Requirement, ...]:
    """Return what it takes at a gate, as it was resolved when it opened and changed since."""
    return tuple(Requirement.from_json(requirement) for requirement in gate.requirements)


def silent_at(ws: Workspace, gate: GateRow) -> list[str]:
    """Return those whose silence has counted as consent at a gate, in the order of asking."""
    requests = ws.read(requests_at, gate.id)
    return list(dict.fromkeys(one.voice for one in requests if one.void_reason is VoidReason.SILENT))


def spoken_at(ws: Workspace, gate: GateRow) -> list[Voice]:
    """Return the voices that have had their say at a gate."""
    return _spoken(latest_decisions(ws, gate).values())


def _spoken(words: Iterable[Decision]) -> list[Voice]:
    return [Voice(word.voice, word.person) for word in words if word.decision.is_final]


def why_not(ws: Workspace, gate: GateRow, voice: Voice) -> Reason | None:
    """Return why this voice cannot be heard at a gate now, or None when it can."""
    return why_may_not_speak(voice, members(gate), separation_at(ws, gate.key), spoken_at(ws, gate))


def separation_at(ws: Workspace, gate_key: str) -> Separation:
    """Return what keeps people from a gate in its newest round, beside its groups."""
    planned = ws.planned_gate_called(gate_key)
    apart = separated_from(ws.plan, gate_key)
    elsewhere = {person for key in apart for voice in _deciders(ws, key) for person in voice.people}
    same = getattr(planned, "same_person_as", None)
    return Separation(
        excluded=frozenset(ws.directory.people(getattr(planned, "exclude", []))),
        decided_elsewhere=frozenset(elsewhere),
        only=frozenset(_approvers(ws, same)) if same else None,
    )


def lent_at(ws: Workspace, gate: GateRow) -> set[str]:
    """Return who has given another one's voice at a gate, and so has none of their own there any more."""
    return _lent(latest_decisions(ws, gate).values())


def _lent(words: Iterable[Decision]) -> set[str]:
    return {voice.person for voice in _spoken(words) if voice.person != voice.principal}


def _silenced(ws: Workspace, gate: GateRow, words: Iterable[Decision]) -> set[str]:
    """Whoever has spoken for somebody else here, or decided elsewhere since, and so can decide here no more."""
    lent = _lent(words)
    if gate.condition_id is not None or not separated_from(ws.plan, gate.key):
        return lent
    return lent | separation_at(ws, gate.key).decided_elsewhere


def _deciders(ws: Workspace, gate_key: str) -> list[Voice]:
    """Who has had their say at a gate, whether it has lapsed since or not; a renewal goes on from the round before.

    Whoever waived it has had it too.
    """
    rounds = _rounds_that_count(ws, gate_key)
    words = [word for gate in rounds for word in ws.read(decisions_at, gate.id) if word.decision.is_final]
    waived = [Voice(gate.waived_by, gate.waived_by) for gate in rounds if gate.waived_by]
    return [*(Voice(word.voice, word.person) for word in words), *waived]


def _approvers(ws: Workspace, gate_key: str) -> list[str]:
    return [
        voice
        for gate in _rounds_that_count(ws, gate_key)
        if gate.state in LETS_PASS
        for voice, word in latest_decisions(ws, gate).items()
        if word.decision.is_approval
    ]


def _rounds_that_count(ws: Workspace, gate_key: str) -> list[GateRow]:
    rows = [gate for gate in ws.gates() if gate.key == gate_key]
    while rows and rows[-1].renewal:
        before = ws.session.scalars(gate_in_round(ws.rollout.id, gate_key, rows[-1].round - 1)).first()
        if before is None:
            break
        rows.append(before)
    return rows
