"""What a person is asked, as facts: the same for the mail, the page, and the digest that binds the two. Read only."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from domain import budget, consequences
from domain.evidence import digest
from domain.plan import (
    BUILT_IN_TITLES,
    AcknowledgementGate,
    AutomaticGate,
    BudgetGate,
    ChecklistGate,
    Choice,
    Gate,
    InputKind,
    MeasurementGate,
    ReviewGate,
)
from domain.reasons import Reason
from domain.states import DecisionKind, GateState
from models.gates import Decision, GateRow, Purpose, Request, RequestState, gate_in_round, requests_at
from notifications.facts import Filled, ItemToFill, Line, Question, Reader, Said, Settlement
from operations.directory import readers
from operations.opening import budget_lines
from operations.progress import recycle_target
from operations.renewals import what_is_renewed
from operations.voices import latest_decisions, tally_of
from operations.workspace import Workspace


def reader_of(ws: Workspace, address: str) -> Reader:
    """Return how to write to an address."""
    if address not in ws.readers:
        ws.readers |= readers(ws.session, [address], ws.rollout, ws.plan.calendar.time_zone)
    return ws.readers[address]


def question(ws: Workspace, gate: GateRow, request: Request, reader: Reader) -> Question:
    """Return all that one person needs in order to decide, in their language."""
    planned = ws.planned_gate(gate)
    language = reader.language
    stage = ws.planned_stage(ws.stage_of(gate))
    counted, needed = _voices(ws, gate)
    names = _names(ws)
    _look_up_at_once(ws, gate, request)
    return Question(
        rollout_id=ws.rollout.id,
        rollout_title=ws.rollout.title,
        plan_title=ws.plan.title.in_language(language),
        stage_title=stage.title.in_language(language),
        gate_key=gate.key,
        gate_title=planned.title.in_language(language),
        kind=planned.kind,
        purpose=request.purpose,
        round=gate.round,
        question=_asked(planned, language),
        details=planned.details.in_language(language) if planned.details else "",
        requester_name=names(ws.rollout.requester),
        owner_name=names(ws.rollout.owner),
        owner_email=ws.rollout.owner,
        why=_why(ws, request, language),
        on_yes=_on_yes(planned, request, needed - counted),
        on_no=consequences.on_no(planned, _recycle_title(ws, gate, language)),
        on_silence=_on_silence(ws, gate, planned, language, names),
        due_at=gate.due_at,
        counted=counted,
        needed=needed,
        said=said_at(ws, gate),
        waiting_for=tuple(names(person) for person in waiting_for(ws, gate)),
        choices=choices(planned, gate, request),
        inputs=_inputs(ws, language),
        renewal=what_is_renewed(ws, gate),
        lessons_required=isinstance(planned, ReviewGate) and planned.lessons,
        **_evidence(ws, gate, planned, language),
    )


def shown(ws: Workspace, gate: GateRow) -> dict[str, Any]:
    """Return what a decision at this gate is about; its digest changes when, and only when, this does."""
    planned = ws.planned_gate(gate)
    return {
        "rollout": ws.rollout.id,
        "gate": planned.model_dump(mode="json"),
        "round": gate.round,
        "inputs": ws.rollout.inputs,
        "answers": gate.answers,
    }


def shown_digest(ws: Workspace, gate: GateRow) -> str:
    """Return the digest of what a decision at this gate is about."""
    return digest(shown(ws, gate))


def said_at(ws: Workspace, gate: GateRow) -> tuple[Said, ...]:
    """Return everybody's last word at a gate, in the order of speaking."""
    decisions = sorted(latest_decisions(ws, gate).values(), key=lambda decision: decision.id)
    names = _names(ws)
    return tuple(said(decision, names(decision.person)) for decision in decisions)


def said(decision: Decision, name: str) -> Said:
    """Return one decision as people are shown it."""
    return Said(name, decision.person, decision.decision, decision.choice, decision.comment, decision.conditions,
                decision.lessons, decision.decided_at)  # fmt: skip


def waiting_for(ws: Workspace, gate: GateRow) -> list[str]:
    """Return the addresses of those who are asked at a gate now and have not said their last word."""
    rows = ws.session.scalars(requests_at(gate.id))
    return list(dict.fromkeys(row.person for row in rows if row.state is RequestState.OPEN))


def choices(planned: Gate, gate: GateRow, request: Request) -> tuple[str, ...]:
    """Return what this person may choose at a gate."""
    if request.purpose is not Purpose.DECIDE:
        return (DecisionKind.APPROVE,)
    if not isinstance(planned, ReviewGate):
        return tuple(DecisionKind)
    level = request.escalation_level
    offered = planned.escalate[level - 1].choices if level else None
    refusals = tuple(choice.value for choice in (offered or planned.choices) if choice is not Choice.GO)
    if offered:
        return (DecisionKind.APPROVE, DecisionKind.APPROVE_WITH_CONDITIONS, *refusals)
    return (DecisionKind.APPROVE, DecisionKind.APPROVE_WITH_CONDITIONS, *refusals, DecisionKind.REQUEST_CHANGES,
            DecisionKind.ABSTAIN)  # fmt: skip


def settlement(gate: GateRow) -> Settlement | None:
    """Return what a gate came to, or None while it is not settled."""
    if gate.outcome is None or gate.settled_at is None or gate.settled_because is None:
        return None
    return Settlement(gate.state, gate.outcome, Reason.from_json(gate.settled_because), gate.settled_at)


def _asked(planned: Gate, language: str) -> str:
    if isinstance(planned, AcknowledgementGate):
        return planned.text.in_language(language)
    if isinstance(planned, AutomaticGate):
        return planned.title.in_language(language)
    return planned.question.in_language(language)


def _voices(ws: Workspace, gate: GateRow) -> tuple[int, int]:
    if not gate.requirements:
        return 0, 0
    tally = tally_of(ws, gate)
    return tally.counted, tally.needed


def _look_up_at_once(ws: Workspace, gate: GateRow, request: Request) -> None:
    """Read everybody who will be named in one query instead of one each."""
    named = {
        ws.rollout.requester,
        ws.rollout.owner,
        request.person,
        *latest_decisions(ws, gate),
        *waiting_for(ws, gate),
    }
    ws.readers |= readers(ws.session, named - ws.readers.keys(), ws.rollout, ws.plan.calendar.time_zone)


def _names(ws: Workspace) -> Callable[[str], str]:
    return lambda address: reader_of(ws, address).name


def _why(ws: Workspace, request: Request, language: str) -> Reason:
    roles = ", ".join(_role_title(ws, entry, language) for entry in request.asked_for)
    if request.escalation_level:
        return Reason("Others were asked and have not decided; the plan names you next ({role}).", {"role": roles})
    if request.purpose is Purpose.CONFIRM:
        return Reason("You belong to the audience of this announcement ({role}).", {"role": roles})
    if request.purpose in (Purpose.ANSWER, Purpose.MEASURE):
        return Reason("The plan asks you to bring this ({role}).", {"role": roles})
    return Reason("The plan asks you to decide ({role}).", {"role": roles})


def _role_title(ws: Workspace, entry: str, language: str) -> str:
    if entry in BUILT_IN_TITLES:
        return BUILT_IN_TITLES[entry].in_language(language)
    return ws.plan.roles[entry].title.in_language(language) if entry in ws.plan.roles else entry


def _on_yes(planned: Gate, request: Request, still_needed: int) -> Reason:
    if request.purpose in (Purpose.ANSWER, Purpose.MEASURE):
        return consequences.on_filled(planned)
    return consequences.on_yes(planned, still_needed)


def _recycle_title(ws: Workspace, gate: GateRow, language: str) -> str:
    return ws.plan.stage(recycle_target(ws, gate)).title.in_language(language)


def _on_silence(ws: Workspace, gate: GateRow, planned: Gate, language: str, names: Callable[[str], str]) -> Reason:
    if gate.renewal:
        return consequences.on_renewal_silence(planned, gate.renewal_due_at)
    people = ""
    if gate.state is GateState.OPEN and gate.escalate_at:
        to = planned.escalate[gate.escalation_level].to
        people = ", ".join(names(person) for person in ws.directory.resolve(to))
    return consequences.on_silence(
        planned, gate.expires_at, _recycle_title(ws, gate, language), gate.escalate_at, people
    )


def _evidence(ws: Workspace, gate: GateRow, planned: Gate, language: str) -> dict[str, Any]:
    if isinstance(planned, BudgetGate):
        return _budget(ws, planned)
    if isinstance(planned, ChecklistGate):
        return _checklist(ws, gate, planned, language)
    if isinstance(planned, MeasurementGate):
        return {"metric": planned.metric, "target": _target(planned, language)}
    if isinstance(planned, AcknowledgementGate) and planned.invite_comment:
        return {"invite_comment": planned.invite_comment.in_language(language)}
    return {}


def _inputs(ws: Workspace, language: str) -> tuple[Filled, ...]:
    given = ws.rollout.inputs
    return tuple(
        Filled(asked.title.in_language(language) if asked.title else name, as_typed(given[name]))
        for name, asked in ws.plan.inputs.items()
        if asked.kind is not InputKind.BUDGET and given.get(name) not in (None, "")
    )


def _budget(ws: Workspace, planned: BudgetGate) -> dict[str, Any]:
    lines = budget_lines(ws, planned)
    return {
        "budget": tuple(Line(line.item, line.amount) for line in lines),
        "budget_total": budget.total(lines),
        "currency": ws.plan.inputs[planned.input].currency or "",
    }


def _checklist(ws: Workspace, gate: GateRow, planned: ChecklistGate, language: str) -> dict[str, Any]:
    answers = gate.answers or {}
    typed_before = answers or _answers_before(ws, gate)
    return {
        "filled": tuple(
            Filled(item.title.in_language(language), as_typed(answers[item.id]))
            for item in planned.items
            if answers.get(item.id) not in (None, "", [], {})
        ),
        "to_fill": tuple(
            ItemToFill(
                item,
                item.title.in_language(language),
                item.unit.in_language(language) if item.unit else "",
                as_typed(typed_before.get(item.id, "")),
            )
            for item in planned.items
        ),
    }


def _answers_before(ws: Workspace, gate: GateRow) -> dict[str, Any]:
    """What was filled in last, in an earlier round, to be changed instead of typed again."""
    for number in range(gate.round - 1, 0, -1):
        before = ws.session.scalars(gate_in_round(gate.rollout_id, gate.key, number)).first()
        if before and before.answers:
            return before.answers
    return {}


def as_typed(answer: Any) -> str:
    """Return a stored answer the way somebody would type it."""
    if isinstance(answer, dict):
        return "\n".join(f"{name}: {value}" for name, value in answer.items())
    if isinstance(answer, list):
        return "\n".join(str(value) for value in answer)
    if isinstance(answer, bool):
        return "yes" if answer else "no"
    return "" if answer is None else str(answer)


def _target(planned: MeasurementGate, language: str) -> str:
    sign, value = ("≥", planned.at_least) if planned.at_least is not None else ("≤", planned.at_most)
    unit = f" {planned.unit.in_language(language)}" if planned.unit else ""
    return f"{sign} {value:f}{unit}" if isinstance(value, Decimal) else ""
