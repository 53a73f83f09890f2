"""What was done so that a gate is answered: who was asked as well, or instead, and who was reminded. Read only."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from domain.plan import AcknowledgementGate, Gate, asks_nobody
from domain.reasons import Fact, Reason
from models.gates import GateRow
from models.record import AuditEntry, chasing_at
from operations.workspace import Workspace


def chased(ws: Workspace, gate: GateRow, names: Callable[[str], str]) -> tuple[Reason, ...]:
    """Return a sentence for each level that a gate was escalated to in this round, and one for its reminders.

    `names` gives the name of an address.
    """
    entries = list(ws.read(chasing_at, ws.rollout.id, gate.key, gate.round))
    planned = ws.planned_gate(gate)
    levels = [_level(planned, entry, names) for entry in entries if entry.action == "gate.escalated"]
    return (*levels, *_reminders([entry for entry in entries if entry.action == "gate.reminded"], names))


def people_chased(ws: Workspace, gate: GateRow) -> set[str]:
    """Return the addresses of everybody whom these sentences name."""
    entries = ws.read(chasing_at, ws.rollout.id, gate.key, gate.round)
    named = ("to", "silent", "away", "people")
    return {person for entry in entries for key in named for person in entry.facts.get(key, ())}


def because_away(ws: Workspace, gate: GateRow, level: int) -> list[str]:
    """Return because of whose absence a level of this round was taken before its time; empty when its time had come."""
    entries = ws.read(chasing_at, ws.rollout.id, gate.key, gate.round)
    taken = (entry.facts for entry in entries if entry.action == "gate.escalated" and entry.facts["level"] == level)
    return [person for facts in taken for person in facts.get("away", ())]


def _level(planned: Gate, entry: AuditEntry, names: Callable[[str], str]) -> Reason:
    people, silent, away = (entry.facts.get(key, []) for key in ("to", "silent", "away"))
    facts: dict[str, Fact] = {"moment": entry.at, "people": _named(people, names), "silent": _named(silent, names),
                              "away": _named(away, names)}  # fmt: skip
    if not people:
        return Reason("Escalated on {moment}, where there was nobody more to ask.", facts)
    if isinstance(planned, AcknowledgementGate) or asks_nobody(planned) or not silent:
        return Reason("Escalated on {moment} to {people}.", facts)
    if away and entry.facts["replace"]:
        return Reason("Asked instead since {moment}: {people}, because of the absence of {away}.", facts)
    if away:
        return Reason("Asked as well since {moment}: {people}, because of the absence of {away}.", facts)
    if entry.facts["replace"]:
        return Reason("Asked instead since {moment}: {people}, because {silent} had not answered.", facts)
    return Reason("Asked as well since {moment}: {people}, because {silent} had not answered.", facts)


def _reminders(entries: list[AuditEntry], names: Callable[[str], str]) -> Iterable[Reason]:
    if not entries:
        return
    last = entries[-1]
    facts: dict[str, Fact] = {
        "count": len(entries),
        "moment": last.at,
        "people": _named(last.facts["people"], names),
    }
    if len(entries) == 1:
        yield Reason("Reminded on {moment}: {people}.", facts)
    else:
        yield Reason("Reminded {count} times, the last time on {moment}: {people}.", facts)


def _named(people: Iterable[str], names: Callable[[str], str]) -> str:
    return ", ".join(dict.fromkeys(map(names, people)))
