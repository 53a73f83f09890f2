"""What follows when a gate's time is up: what the plan says, consent by silence, news of an overdue condition."""

from __future__ import annotations

from domain import consequences, silence
from domain.reasons import Fact, Reason
from domain.states import Event, Outcome
from models.conditions import Condition
from models.gates import GateRow
from models.outbox import CHAT, MessageState, messages_of
from models.requests import Purpose, Request, VoidReason, requests_at
from operations.asking import CALLED_OFF, open_requests
from operations.naming import name_of
from operations.progress import progress
from operations.settling import settle
from operations.telling import inform
from operations.voices import latest_decisions, members
from operations.workspace import Workspace


def expire(ws: Workspace, gate: GateRow) -> None:
    """Settle a gate whose time is up, and do whatever follows."""
    outcome = consequences.expiry_outcome(ws.planned_gate(gate))
    if outcome is Outcome.GO:
        _hear_the_silence(ws, gate)
    elif condition := ws.condition_of(gate):
        settle(ws, gate, Event.EXPIRED, outcome, Reason("time was up before it was done"))
        _tell_that_it_is_overdue(ws, gate, condition)
    else:
        settle(ws, gate, Event.EXPIRED, outcome, Reason("time was up before it was decided"))
    progress(ws)


def _hear_the_silence(ws: Workspace, gate: GateRow) -> None:
    silent = open_requests(ws, gate, [Purpose.DECIDE])
    if because := _why_no_consent(ws, gate, silent):
        settle(ws, gate, Event.EXPIRED, Outcome.HOLD, because)
        return
    people = list(dict.fromkeys(request.voice for request in silent))
    because = silence.nobody_objected([name_of(ws, person) for person in people])
    facts = {"silence": True, "silent": people}
    settle(ws, gate, Event.PASSED, Outcome.GO, because, void=VoidReason.SILENT, facts=facts)


def _why_no_consent(ws: Workspace, gate: GateRow, silent: list[Request]) -> Reason | None:
    words = latest_decisions(ws, gate).items()
    rows = [row for row in ws.read(requests_at, gate.id) if row.purpose is Purpose.DECIDE]
    asked = {row.voice for row in rows if row.void_reason not in CALLED_OFF}
    return silence.why_no_consent(
        {name_of(ws, voice): word.decision for voice, word in words},
        [name_of(ws, person) for person in sorted(members(gate) - asked)],
        [name_of(ws, request.person) for request in silent if request.id not in _reached(ws)],
    )


def _reached(ws: Workspace) -> set[str]:
    """The requests of which every mail was delivered, and one at least."""
    sent, stuck = set[str](), set[str]()
    mails = (message for message in ws.read(messages_of, ws.rollout.id) if message.topic != CHAT)
    for message in mails:
        if request_id := message.facts.get("request_id"):
            known = {MessageState.SENT: sent, MessageState.PENDING: stuck, MessageState.DEAD: stuck}
            known.get(message.state, set()).add(request_id)
    return sent - stuck


def _tell_that_it_is_overdue(ws: Workspace, gate: GateRow, condition: Condition) -> None:
    maker = ws.maker_of(condition)
    facts: dict[str, Fact] = {
        "person": name_of(ws, condition.who),
        "maker": name_of(ws, maker),
        "what": condition.what,
        "gate": ws.planned_gate(ws.session.get_one(GateRow, condition.gate_id)).title.in_language(ws.rollout.language),
        "stage": ws.planned_stage(ws.stage_of(gate)).title.in_language(ws.rollout.language),
        "rollout": ws.rollout.id,
    }
    inform(
        ws,
        [*ws.directory.resolve(ws.planned_stage(ws.stage_of(gate)).owner), ws.rollout.owner, maker],
        Reason("Overdue: a condition that {person} was to see to", facts),
        [
            Reason("It was to be done by now: {what}", facts),
            Reason("{maker} made it a condition of the approval at “{gate}”.", facts),
            Reason("The stage “{stage}” is on hold because of it, or will be as soon as it opens.", facts),
        ],
        [Reason('To give as much time again: etappe rollout resume {rollout} --reason "why it takes longer"', facts)],
        gate=gate,
    )
