"""What a plan says of conditions and of silence. Part of the plan check; paths are of the gate, or the plan."""

from __future__ import annotations

from collections.abc import Iterator

from domain.conditions import condition_id_in
from domain.nearest import one_of, suggestion
from domain.plan import ChecklistGate, Gate, Plan, Stage
from domain.stage_graph import comes_before

Path = tuple[str | int, ...]
Finding = tuple[Path, str]


def reserved(plan: Plan) -> Iterator[Finding]:
    """Find gates that are called like those that conditions become."""
    for s, stage in enumerate(plan.stages):
        for g, gate in enumerate(stage.gates):
            if condition_id_in(gate.id) is not None:
                sentence = f"“{gate.id}” is what a condition's gate may be called; give this one another name"
                yield ("stages", s, "gates", g, "id"), sentence


def shared_expiry(plan: Plan) -> Iterator[Finding]:
    """Find expiries that many gates share and that let them pass: by when to object is said where consent is."""
    shared = [((), plan.expires), *((("stages", s), stage.expires) for s, stage in enumerate(plan.stages))]
    for path, expires in shared:
        if expires is not None and expires.outcome == "pass":
            instead = "write hold, reject, or {recycle: a-stage} here, and “pass” at the gate that has it"
            yield (*path, "expires", "outcome"), f"silence is consent only where a gate says so; {instead}"


def conditions_in(plan: Plan, stage: Stage, gate: Gate) -> Iterator[Finding]:
    """Find stages for conditions that are not there or do not come later, and gates that take no conditions."""
    named = getattr(gate, "conditions_in", None)
    if named is None:
        return
    known = [one.id for one in plan.stages]
    later = [other for other in known if comes_before(plan.needs(), stage.id, other)]
    if named not in known:
        yield ("conditions_in",), f"“{named}” is not a stage of this plan{suggestion(named, later or known)}"
    elif named not in later:
        instead = f"name {one_of(later)}" if later else "no stage does, so leave it out"
        yield ("conditions_in",), f"“{named}” does not come after “{stage.id}”; {instead}"
    if not getattr(gate, "binding", True):
        yield ("conditions_in",), "a gate that binds nobody takes no conditions; leave it out, or “binding: false”"
    elif _nobody_approves(gate):
        yield ("conditions_in",), "nobody approves here, so nobody makes conditions; name approvers, or leave it out"


def silence(plan: Plan, stage: Stage, gate: Gate) -> Iterator[Finding]:
    """Find gates that would pass by silence without the plan saying so, and consent that could not be meant."""
    consents = getattr(gate, "silence_is_consent", False)
    passes = gate.expires is not None and gate.expires.outcome == "pass"
    if passes and not consents:
        instead = "write hold, reject, or {recycle: a-stage}, or add “silence_is_consent: true”"
        yield ("expires", "outcome"), f"silence never approves by itself; {instead}"
    if consents and not passes:
        yield ("silence_is_consent",), "it is not said by when to object; add “expires: {after: ..., outcome: pass}”"
    if consents:
        yield from _consent(gate)


def _consent(gate: Gate) -> Iterator[Finding]:
    if getattr(gate, "order", "together") == "in turn":
        yield ("order",), "those who come later might not have been asked when time is up; write “order: together”"
    if not getattr(gate, "binding", True):
        yield ("binding",), "a gate that binds nobody needs no consent; leave this out, or “silence_is_consent”"
    if _nobody_approves(gate):
        sentence = "nobody approves here, so nobody's silence could count; name approvers, or leave it out"
        yield ("silence_is_consent",), sentence


def _nobody_approves(gate: Gate) -> bool:
    return isinstance(gate, ChecklistGate) and not gate.approvers
