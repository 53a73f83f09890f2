"""See to it that no gate waits in vain for people who are away: the plan's next step of escalation is taken at once."""

from __future__ import annotations

from collections.abc import Sequence
from shlex import quote

from domain.absence import waits_in_vain
from domain.explanation import MOST_REASSIGNED
from domain.reasons import Fact, Reason
from domain.states import GateState
from models.absences import Absence, is_somebody_away
from models.delegations import LENT
from models.gates import GateRow
from models.people import Person
from models.record import entries_at
from models.requests import Purpose, Request
from operations.absences import away_now, last_day_of
from operations.asking import open_requests
from operations.delegating import gate_title
from operations.escalating import take_step
from operations.telling import inform
from operations.telling_chat import tell_channels
from operations.voices import tally_of
from operations.workspace import Workspace

AWAY = "request.away"

Missed = list[tuple[Request, Absence]]
"""What is asked of people who are away, each with the absence."""


def attend_absences(ws: Workspace) -> bool:
    """Escalate at every open gate that cannot go on before somebody is back, and tell its owners.

    Each absence has its consequences once for each request, and what has happened stays so. Returns whether one had.
    """
    if not ws.read(is_somebody_away, ws.rollout.id, ws.now):
        return False
    return sum(_attend(ws, gate) for gate in ws.gates(GateState.OPEN)) > 0


def _attend(ws: Workspace, gate: GateRow) -> bool:
    if not _fresh(ws, gate, _missed(ws, gate)):
        return False
    told, steps = Missed(), list[Reason]()
    while missed := _missed(ws, gate):  # whoever a step asks can be away as well
        told += _noted(ws, gate, _fresh(ws, gate, missed))
        if not _has_a_step_left(ws, gate):
            break
        away = dict.fromkeys(request.person for request, _ in missed)
        steps.append(take_step(ws, gate, away=list(away))[1])
    _tell(ws, gate, told, steps, still_in_vain=bool(missed))
    return True


def _missed(ws: Workspace, gate: GateRow) -> Missed:
    """Return what is asked in vain at a gate; nothing while it can go on without those who are away."""
    rows = open_requests(ws, gate, [Purpose.RESPOND] if gate.paused_at else LENT)
    own = [row for row in rows if not row.on_behalf_of]
    away = away_now(ws.session, [row.person for row in rows], ws.now)
    answered_for = {row.on_behalf_of for row in rows if row.person not in away}
    absent = {row.person for row in own if row.person in away} - answered_for
    decided = any(row.purpose is Purpose.DECIDE for row in own)
    without_them = tally_of(ws, gate, absent) if absent and decided else None
    if not waits_in_vain({row.person for row in own}, absent, without_them):
        return []
    return [(row, away[row.person]) for row in own if row.person in absent]


def _fresh(ws: Workspace, gate: GateRow, missed: Missed) -> Missed:
    """Leave out what was noticed before."""
    if not missed:
        return []
    entries = ws.read(entries_at, ws.rollout.id, gate.key, AWAY)
    noticed = {(entry.facts["request"], entry.facts["absence"]) for entry in entries}
    return [(request, absence) for request, absence in missed if (request.id, absence.id) not in noticed]


def _noted(ws: Workspace, gate: GateRow, fresh: Missed) -> Missed:
    for request, absence in fresh:
        facts = {"request": request.id, "absence": absence.id, "person": request.person, "purpose": request.purpose,
                 "until": last_day_of(ws.session, absence).isoformat()}  # fmt: skip
        ws.note(AWAY, gate=gate, facts=facts)
    return fresh


def _has_a_step_left(ws: Workspace, gate: GateRow) -> bool:
    """While the clock stands still, nobody is asked to decide what is about to change."""
    return gate.paused_at is None and gate.escalation_level < len(ws.planned_gate(gate).escalate)


def _tell(ws: Workspace, gate: GateRow, told: Missed, steps: Sequence[Reason], *, still_in_vain: bool) -> None:
    facts: dict[str, Fact] = {"gate": gate_title(ws, gate), "rollout": ws.rollout.id, "key": gate.key}
    away = [_is_away(ws, absence) for _, absence in told]
    nobody = [Reason("The plan names nobody else to ask, so the gate waits until somebody is back.")]
    headline = Reason("“{gate}” waits for somebody who is away", facts)
    if steps:
        headline = Reason("“{gate}” was escalated, because somebody is away", facts)
        tell_channels(ws, headline, steps, stages=[ws.stage_of(gate)])
    caretakers = ws.caretakers(ws.stage_of(gate))
    inform(
        ws,
        [caretakers.owner, *sorted(caretakers.stage_owners), caretakers.requester],
        headline,
        [*away, *steps, *(nobody if still_in_vain else [])],
        _what_to_do(ws, gate, [request for request, _ in told], facts) if still_in_vain else [],
        gate=gate,
    )


def _is_away(ws: Workspace, absence: Absence) -> Reason:
    person = ws.session.get_one(Person, absence.person).name
    facts = {"person": person, "day": last_day_of(ws.session, absence).isoformat()}
    return Reason("{person} is away until {day}, and nobody answers in their place.", facts)


def _what_to_do(ws: Workspace, gate: GateRow, missed: Sequence[Request], facts: dict[str, Fact]) -> list[Reason]:
    """What the gate allows; whatever else there is, the explanation of the rollout knows (operations/ways_out.py)."""
    if gate.paused_at:
        return [
            Reason("To answer in their place: etappe gate respond {rollout} {key} --reply TEXT --by EMAIL", facts),
        ]
    instead = [_ask_instead(ws, gate, request) for request in missed[:MOST_REASSIGNED]]
    answers_for_them = Reason(
        "To have somebody answer for them: etappe people delegate EMAIL --to EMAIL --from DATE --until DATE", facts
    )
    return [
        *([*instead, answers_for_them] if getattr(ws.planned_gate(gate), "delegates", True) else []),
        Reason("To see all that one could do: etappe rollout explain {rollout}", facts),
    ]


def _ask_instead(ws: Workspace, gate: GateRow, request: Request) -> Reason:
    person = ws.session.get_one(Person, request.person)
    return Reason(
        "To ask somebody else instead of {person}: "
        'etappe gate reassign {rollout} {gate} --from {from} --to {to} --reason "why"',
        {"person": person.name, "rollout": ws.rollout.id, "gate": gate.key, "from": quote(person.email), "to": "EMAIL"},
    )
