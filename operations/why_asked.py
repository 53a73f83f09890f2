"""Why somebody is asked, said to them. Read only."""

from __future__ import annotations

from collections.abc import Callable

from domain.plan import BUILT_IN_TITLES, Plan
from domain.reasons import Fact, Reason
from models.conditions import Condition
from models.gates import GateRow
from models.requests import Purpose, Request
from operations.chasing import because_away
from operations.workspace import Workspace


def why_asked(ws: Workspace, gate: GateRow, request: Request, names: Callable[[str], str], language: str) -> Reason:
    """Return why this person is asked. `names` gives the name of an address."""
    if (condition := ws.condition_of(gate)) and not request.escalation_level and request.purpose is not Purpose.RESPOND:
        return _by_condition(ws, condition, request, names, language)
    roles = ", ".join(_role_title(ws.plan_of(gate), entry, language) for entry in request.asked_for)
    if request.on_behalf_of:
        facts: dict[str, Fact] = {"person": names(request.on_behalf_of), "role": roles}
        return Reason("You are asked in the place of {person}, whom the plan names ({role}).", facts)
    if how := gate.named.get(request.person):
        return _named(how, names, roles)
    if request.escalation_level:
        if away := because_away(ws, gate, request.escalation_level):
            people = ", ".join(map(names, away))
            return Reason(
                "The absence of {people} would hold it up; the plan names you next ({role}).",
                {"people": people, "role": roles},
            )
        return Reason("Others were asked and have not decided; the plan names you next ({role}).", {"role": roles})
    if request.purpose is Purpose.CONFIRM:
        return Reason("You belong to the audience of this announcement ({role}).", {"role": roles})
    if request.purpose in (Purpose.ANSWER, Purpose.MEASURE):
        return Reason("The plan asks you to bring this ({role}).", {"role": roles})
    if request.purpose is Purpose.RESPOND:
        return Reason("You look after this ({role}), and changes were asked for.", {"role": roles})
    return Reason("The plan asks you to decide ({role}).", {"role": roles})


def _named(how: dict[str, str], names: Callable[[str], str], roles: str) -> Reason:
    if not how["instead_of"]:
        return Reason("Your approval was asked for beside what the plan says: “{reason}”", {"reason": how["reason"]})
    facts: dict[str, Fact] = {"person": names(how["instead_of"]), "role": roles, "reason": how["reason"]}
    return Reason("The question was passed on to you from {person} ({role}): “{reason}”", facts)


def _by_condition(
    ws: Workspace, condition: Condition, request: Request, names: Callable[[str], str], language: str
) -> Reason:
    maker = ws.maker_of(condition)
    made_at = ws.planned_gate(ws.session.get_one(GateRow, condition.gate_id)).title.in_language(language)
    facts: dict[str, Fact] = {"maker": names(maker), "gate": made_at}
    if request.purpose is not Purpose.DECIDE:
        return Reason("{maker} approved “{gate}” on the condition that you see to this.", facts)
    if request.person == maker:
        return Reason("You made this a condition of your approval at “{gate}”: say whether it is met.", facts)
    return Reason("{maker} made this a condition of the approval at “{gate}”: say whether it is met.", facts)


def _role_title(plan: Plan, entry: str, language: str) -> str:
    if entry in BUILT_IN_TITLES:
        return BUILT_IN_TITLES[entry].in_language(language)
    return plan.roles[entry].title.in_language(language) if entry in plan.roles else entry
