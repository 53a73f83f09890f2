"""What a person is asked, as facts: the same for the mail, the page, and the digest that binds the two. Read only."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from domain import budget
from domain.evidence import digest
from domain.inputs import as_typed
from domain.plan import (
    AcknowledgementGate,
    AutomaticGate,
    BudgetGate,
    ChecklistGate,
    Gate,
    InputKind,
    MeasurementGate,
    ReviewGate,
)
from domain.reasons import Reason
from domain.states import StageState
from models.evidence import attachments_of
from models.gates import GateRow, gate_in_round
from models.requests import Decision, Purpose, Request, RequestState, requests_at
from notifications.facts import Filled, ItemToFill, LaterStage, Line, Question, Reader, Said, Settlement
from notifications.language import Words
from operations.absences import away_until
from operations.chasing import chased, people_chased
from operations.choosing import choices, stages_for
from operations.delegating import delegation_behind
from operations.naming import look_up, name_of
from operations.opening import budget_lines
from operations.renewals import what_is_renewed
from operations.shown_changes import changes_as_facts
from operations.voices import latest_decisions, tally_of, wishes
from operations.what_follows import on_no, on_silence, on_yes
from operations.why_asked import why_asked
from operations.workspace import Workspace


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
        plan_title=ws.plan_of(gate).title.in_language(language),
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
        why=why_asked(ws, gate, request, names, language),
        on_yes=on_yes(planned, request, needed - counted),
        on_no=on_no(ws, gate, request, language),
        on_silence=on_silence(ws, gate, names, language),
        due_at=gate.due_at,
        urgent=planned.urgent,
        counted=counted,
        needed=needed,
        said=said_at(ws, gate),
        choices=choices(ws, gate, request),
        condition_stages=_condition_stages(ws, gate, request, language),
        waiting_for=_names_waited_for(ws, gate, request, reader),
        chased=chased(ws, gate, names),
        **_in_place(ws, request),
        inputs=_inputs(ws, gate, language),
        renewal=what_is_renewed(ws, gate),
        silence_is_consent=getattr(planned, "silence_is_consent", False) and not gate.renewal,
        lessons_required=isinstance(planned, ReviewGate) and planned.lessons,
        **changes_as_facts(ws, gate, request, language, names),
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
        "attachments": {one.name: one.digest or one.url for one in ws.read(attachments_of, ws.rollout.id)},
        "changed": gate.changed,
    }


def shown_digest(ws: Workspace, gate: GateRow, request: Request) -> str:
    """Return the digest of what an answer to this request is about; whoever answers wishes, of the wishes as well."""
    facts = shown(ws, gate)
    if request.purpose is Purpose.RESPOND:
        facts["wishes"] = [decision.id for decision in wishes(ws, gate)]
    return digest(facts)


def said_at(ws: Workspace, gate: GateRow) -> tuple[Said, ...]:
    """Return everybody's last word at a gate, in the order of speaking."""
    decisions = sorted(latest_decisions(ws, gate).values(), key=lambda decision: decision.id)
    return tuple(said(ws, decision) for decision in decisions)


def said(ws: Workspace, decision: Decision) -> Said:
    """Return one decision as people are shown it."""
    names = _names(ws)
    return Said(
        name=names(decision.person),
        email=decision.person,
        decision=decision.decision,
        choice=decision.choice,
        comment=decision.comment,
        conditions=decision.conditions,
        lessons=decision.lessons,
        at=decision.decided_at,
        on_behalf_of=names(decision.on_behalf_of) if decision.on_behalf_of else "",
        voice=decision.voice,
    )


def waiting_for(ws: Workspace, gate: GateRow) -> list[str]:
    """Return the addresses of those who are asked at a gate now and have not said their last word."""
    return list(dict.fromkeys(row.person for row in asked_now(ws, gate)))


def asked_now(ws: Workspace, gate: GateRow) -> list[Request]:
    """Return what is asked at a gate now, in the order of asking.

    Whoever is asked for changes comes first: until they answer, its clock stands still.
    """
    rows = [row for row in ws.read(requests_at, gate.id) if row.state is RequestState.OPEN]
    return sorted(rows, key=lambda row: row.purpose is not Purpose.RESPOND)


def names_asked_now(ws: Workspace, gate: GateRow, words: Words) -> dict[Request, str]:
    """Return what is asked at a gate now, with whom it asks: “Ben Frei”, or “Ben Frei for Anna Keller”.

    Whoever is away stands there with their last day.
    """
    names, rows = _names(ws), asked_now(ws, gate)
    away = away_until(ws.session, [row.person for row in rows], ws.now)
    return {
        row: words.away(words.who(names(row.person), names(row.on_behalf_of) if row.on_behalf_of else ""),
                        away.get(row.person))
        for row in rows
    }  # fmt: skip


def _names_waited_for(ws: Workspace, gate: GateRow, request: Request, reader: Reader) -> tuple[str, ...]:
    """Whoever reads it finds themself by their plain name, also when they answer for somebody else."""
    asked = names_asked_now(ws, gate, Words(reader.language, reader.time_zone))
    return tuple(dict.fromkeys(reader.name if row.id == request.id else name for row, name in asked.items()))


def _in_place(ws: Workspace, request: Request) -> dict[str, Any]:
    if not request.on_behalf_of:
        return {}
    behind = delegation_behind(ws, request)
    until = behind.term.last_moment if behind else None
    return {"in_place_of": _names(ws)(request.on_behalf_of), "lent_until": until}


def _condition_stages(ws: Workspace, gate: GateRow, request: Request, language: str) -> tuple[LaterStage, ...]:
    if request.purpose is not Purpose.DECIDE:
        return ()
    return tuple(
        LaterStage(key, ws.plan_of(gate).stage(key).title.in_language(language)) for key in stages_for(ws, gate)
    )


def settlement(ws: Workspace, gate: GateRow) -> Settlement | None:
    """Return what a gate came to, or None while it is not settled."""
    if gate.outcome is None or gate.settled_at is None or gate.settled_because is None:
        return None
    waits = ws.stage_of(gate).state is StageState.WAITING
    return Settlement(gate.state, gate.outcome, Reason.from_json(gate.settled_because), gate.settled_at, waits)


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
    look_up(ws, {
        ws.rollout.requester,
        ws.rollout.owner,
        request.person,
        *(person for word in latest_decisions(ws, gate).values() for person in (word.person, word.voice)),
        *(person for row in asked_now(ws, gate) for person in (row.person, row.voice)),
        *people_chased(ws, gate),
    })  # fmt: skip


def _names(ws: Workspace) -> Callable[[str], str]:
    return lambda address: name_of(ws, address)


def _evidence(ws: Workspace, gate: GateRow, planned: Gate, language: str) -> dict[str, Any]:
    if isinstance(planned, BudgetGate):
        return _budget(ws, gate, planned)
    if isinstance(planned, ChecklistGate):
        return _checklist(ws, gate, planned, language)
    if isinstance(planned, MeasurementGate):
        return {"metric": planned.metric, "target": _target(planned, language)}
    if isinstance(planned, AcknowledgementGate) and planned.invite_comment:
        return {"invite_comment": planned.invite_comment.in_language(language)}
    return {}


def _inputs(ws: Workspace, gate: GateRow, language: str) -> tuple[Filled, ...]:
    given = ws.rollout.inputs
    return tuple(
        Filled(asked.title.in_language(language) if asked.title else name, as_typed(given[name]))
        for name, asked in ws.plan_of(gate).inputs.items()
        if asked.kind is not InputKind.BUDGET and given.get(name) not in (None, "")
    )


def _budget(ws: Workspace, gate: GateRow, planned: BudgetGate) -> dict[str, Any]:
    lines = budget_lines(ws, planned)
    return {
        "budget": tuple(Line(line.item, line.amount) for line in lines),
        "budget_total": budget.total(lines),
        "currency": ws.plan_of(gate).inputs[planned.input].currency or "",
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


def _target(planned: MeasurementGate, language: str) -> str:
    sign, value = ("≥", planned.at_least) if planned.at_least is not None else ("≤", planned.at_most)
    unit = f" {planned.unit.in_language(language)}" if planned.unit else ""
    return f"{sign} {value:f}{unit}" if isinstance(value, Decimal) else ""
