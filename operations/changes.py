"""Changes that an approver asks for: the gate's clock stops, and those who look after it are asked to answer."""

from __future__ import annotations

from collections.abc import Iterable

from domain.plan import ChecklistGate
from domain.reasons import Reason
from models.gates import GateRow
from models.requests import Decision, Purpose, Request, RequestState, VoidReason, requests_at
from operations.about import about
from operations.asking import ask, open_requests, void
from operations.clock import end_pause, set_deadlines
from operations.evidence import keep
from operations.naming import names_of
from operations.rounds import new_gate_round, withdraw_gate
from operations.telling import inform, tell_again
from operations.voices import wishes
from operations.workspace import Workspace


def ask_for_changes(ws: Workspace, gate: GateRow, word: Decision) -> None:
    """Ask those who can change something; a checklist goes back to whoever fills it in, in a new round."""
    planned = ws.planned_gate(gate)
    if isinstance(planned, ChecklistGate):
        withdraw_gate(ws, gate, VoidReason.WITHDRAWN)
        again = new_gate_round(ws, gate, ws.stage_of(gate), renewal=gate.renewal)
        again.overdue_at = gate.overdue_at
        told = [ws.rollout.owner, ws.rollout.requester, *ws.directory.resolve(planned.filled_by)]
        what_next = Reason("The list is open again for changes; once it is complete, it is asked about anew.")
        _tell(ws, gate, word, told, what_next)
        return
    people = _who_answers(ws, gate)
    _stop(ws, gate, people)
    _ask_to_answer(ws, gate, people)
    facts: dict[str, str | int] = {"people": names_of(ws, people)}
    what_next = Reason("The gate stays open; its clock stands still until this is answered by {people}.", facts)
    _tell(ws, gate, word, {ws.rollout.requester} - people.keys(), what_next)


def go_on_unless_changes_are_wanted(ws: Workspace, gate: GateRow) -> None:
    """Let the clock go on when everybody who asked for changes has said something else since."""
    if gate.paused_at is None or gate.settled_at is not None or wishes(ws, gate):
        return
    go_on(ws, gate)
    void(ws, open_requests(ws, gate, [Purpose.RESPOND]), VoidReason.NOT_NEEDED)
    ws.note("gate.resumed", gate=gate)


def go_on(ws: Workspace, gate: GateRow) -> None:
    """Let the gate's clock go on; what is due by it is due later by the pause."""
    end_pause(ws, gate)
    gate.paused_with = None
    set_deadlines(ws, gate)


def _stop(ws: Workspace, gate: GateRow, people: dict[str, list[str]]) -> None:
    if gate.paused_at is None:
        gate.paused_at, gate.paused_with = ws.now, keep(ws, about(ws))
        set_deadlines(ws, gate)
        ws.note("gate.paused", gate=gate, facts={"asked": list(people)})


def _who_answers(ws: Workspace, gate: GateRow) -> dict[str, list[str]]:
    """Return the rollout's owner and the stage's, each once, with what they are asked for."""
    entries = dict.fromkeys(["owner", ws.planned_stage(ws.stage_of(gate)).owner])
    people: dict[str, list[str]] = {}
    for entry in entries:
        for person in ws.directory.resolve(entry):
            people.setdefault(person, []).append(entry)
    return people


def _ask_to_answer(ws: Workspace, gate: GateRow, people: dict[str, list[str]]) -> None:
    """Whoever is asked already hears it once more, and whoever has answered before is asked again by the same link."""
    known = {row.person: row for row in ws.read(requests_at, gate.id) if row.purpose is Purpose.RESPOND}
    for person in people:
        if person in known:
            _ask_again(ws, known[person])
    ask(ws, gate, [pair for pair in people.items() if pair[0] not in known], Purpose.RESPOND)


def _ask_again(ws: Workspace, request: Request) -> None:
    if request.state is not RequestState.OPEN:
        request.state, request.closed_at, request.void_reason = RequestState.OPEN, None, None
        request.created_at = ws.now
    tell_again(ws, request)


def _tell(ws: Workspace, gate: GateRow, word: Decision, told: Iterable[str], what_next: Reason) -> None:
    title = ws.planned_gate(gate).title.in_language(ws.rollout.language)
    headline = Reason("Changes are requested at “{gate}”", {"gate": title})
    inform(ws, told, headline, [what_next], gate=gate, quote=word.comment, quoted=word.person)
