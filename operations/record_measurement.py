"""Record a measured value; the gates that wait for it are settled by it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from domain import typed_text
from domain.errors import InvalidInput, RolloutEnded
from domain.measurement import Value
from domain.nearest import suggestion
from domain.plan import MeasurementGate
from domain.reasons import Reason
from domain.states import ENDED, GateState, StageState
from models.database import Database
from models.gates import GateRow
from models.measurements import Measurement, measurements_of
from models.requests import Purpose, Request, RequestState, requests_at
from operations.asked import Asked, refuse_what_is_over
from operations.by_link import answer_by_link
from operations.delegating import delegation_behind
from operations.progress import progress, release
from operations.resume_rollout import ask_again, stopping_gates
from operations.show_request import RequestPage
from operations.workspace import Actor, Workspace, locked


def record_measurement(
    db: Database,
    keys: Sequence[bytes],
    rollout_id: str,
    metric: str,
    value: str,
    actor: Actor,
    now: datetime,
    *,
    sample: str = "",
    measured_at: datetime | None = None,
) -> None:
    """Record a value of a rollout's metric. `measured_at` is aware (default: now); `sample` is how many it rests on.

    Raises UnknownRollout, NotAllowed for a stranger, RolloutEnded, or InvalidInput for an unknown metric or what is not
    a number.
    """
    with locked(db, keys, rollout_id, now, actor) as ws:
        refuse_strangers(ws, metric)
        _record(ws, metric, value, sample, measured_at or now)


def refuse_strangers(ws: Workspace, metric: str) -> None:
    """Raise NotAllowed unless the actor is asked for values of this metric, or looks after the rollout.

    Whoever the plan names for it may bring one before and after it is asked for, too, but not once somebody else is
    asked instead of them.
    """
    gates = [gate for stage in ws.plan.stages for gate in stage.gates if isinstance(gate, MeasurementGate)]
    of_metric = [gate for gate in gates if gate.metric == metric] or gates  # that it is unknown is said to all of them
    named = ws.actor.address in ws.directory.people([gate.measured_by for gate in of_metric])
    asked = _requests_for(ws, metric)
    replaced = any(row.state is RequestState.VOID and not row.on_behalf_of for row in asked)
    if not (named and not replaced) and not _open_for(ws, asked):
        ws.refuse_strangers()


def _requests_for(ws: Workspace, metric: str) -> list[Request]:
    """What the actor is or was asked for that such a value answers now: for themselves, or in another one's place."""
    gates = [gate for gate in ws.gates(GateState.OPEN) if _waits_for(ws, gate, metric)]
    rows = [row for gate in gates for row in ws.read(requests_at, gate.id)]
    return [row for row in rows if row.person == ws.actor.address and row.purpose is Purpose.MEASURE]


def _open_for(ws: Workspace, requests: Sequence[Request]) -> list[Request]:
    mine = [row for row in requests if row.state is RequestState.OPEN]
    return [row for row in mine if not row.on_behalf_of or delegation_behind(ws, row)]


def _lent_by(ws: Workspace, metric: str) -> str | None:
    """In whose place the actor brings a value; None for their own."""
    voices = [row.on_behalf_of for row in _open_for(ws, _requests_for(ws, metric))]
    return None if not voices or "" in voices else voices[0]


def record_measurement_by_link(
    db: Database, keys: Sequence[bytes], token: str, value: str, sample: str, code: str, digest: str, now: datetime
) -> RequestPage:
    """Record a value through the link of a request to measure. Raises what by_link and record_measurement raise."""

    def change(asked: Asked) -> None:
        planned = asked.ws.planned_gate(asked.gate)
        if not isinstance(planned, MeasurementGate) or asked.request.purpose is not Purpose.MEASURE:
            raise InvalidInput(Reason("This page asks for something else than a measured value."))
        if not _is_repeated(asked, planned.metric, value, sample):
            refuse_what_is_over(asked, digest)
            _record(asked.ws, planned.metric, value, sample, now, asked.request.on_behalf_of or None)
            _say_whose_it_was(asked)

    return answer_by_link(db, keys, token, code, now, change)


def _say_whose_it_was(asked: Asked) -> None:
    """Settling a gate voids every request at it; whoever settled it by their value has done what they were asked."""
    if asked.gate.settled_at is not None:
        asked.request.state, asked.request.void_reason = RequestState.DONE, None


def _is_repeated(asked: Asked, metric: str, value: str, sample: str) -> bool:
    newest = asked.ws.session.scalars(measurements_of(asked.ws.rollout.id, metric).limit(1)).first()
    if newest is None or newest.reported_by != asked.request.person or asked.request.state is not RequestState.DONE:
        return False
    return (newest.value, newest.sample) == (_number(value), _count(sample))


def _record(
    ws: Workspace, metric: str, value: str, sample: str, measured_at: datetime, on_behalf_of: str | None = None
) -> None:
    add_values(ws, [(metric, Value(_number(value), _count(sample), measured_at))], on_behalf_of)


def add_values(ws: Workspace, values: Sequence[tuple[str, Value]], on_behalf_of: str | None = None) -> None:
    """Record values of metrics, in this order, and do what follows from all of them together.

    Raises what `refuse_value` raises.
    """
    for metric, value in values:
        refuse_value(ws, metric, value)
        _note(ws, metric, value, on_behalf_of or _lent_by(ws, metric))
    for metric in dict.fromkeys(metric for metric, _ in values):
        _ask_held_gates_again(ws, metric)
    ws.session.add_all(_measurement(ws, metric, value) for metric, value in values)
    ws.session.flush()
    progress(ws)


def _note(ws: Workspace, metric: str, value: Value, on_behalf_of: str | None) -> None:
    ws.note(
        "measurement.recorded",
        on_behalf_of=on_behalf_of,
        facts={"metric": metric, "value": f"{value.value:f}", "sample": value.sample,
               "measured_at": value.measured_at.isoformat()},
    )  # fmt: skip


def _measurement(ws: Workspace, metric: str, value: Value) -> Measurement:
    return Measurement(
        rollout_id=ws.rollout.id,
        metric=metric,
        value=value.value,
        sample=value.sample,
        measured_at=value.measured_at,
        reported_by=ws.actor.address,
        reported_at=ws.now,
    )


def refuse_value(ws: Workspace, metric: str, value: Value) -> None:
    """Raise RolloutEnded, or InvalidInput for an unknown metric and a value from the future."""
    if ws.rollout.state in ENDED:
        raise RolloutEnded(f"The rollout is {ws.rollout.state}; values no longer count.")
    metrics = {gate.metric for stage in ws.plan.stages for gate in stage.gates if isinstance(gate, MeasurementGate)}
    if metric not in metrics:
        raise InvalidInput(f"The plan does not measure “{metric}”{suggestion(metric, metrics)}")
    if value.measured_at > ws.now:
        raise InvalidInput(Reason("A value cannot have been measured in the future."))


def _number(text: str) -> Decimal:
    try:
        return typed_text.read_number(text)
    except InvalidInput as refusal:
        raise InvalidInput(refusal.sentence, {"value": Reason("Write a number, such as 1200 or 3.5.")}) from refusal


def _count(text: str) -> int | None:
    if not text.strip():
        return None
    if not text.strip().isascii() or not text.strip().isdigit() or len(text.strip()) > 9:
        raise InvalidInput(Reason("The sample is not a whole number."), {"sample": Reason("Write a whole number.")})
    return int(text)


def _ask_held_gates_again(ws: Workspace, metric: str) -> None:
    """A new value is a new answer: where the value before it put a stage on hold, its gate is asked again."""
    for stage in ws.stages():
        if stage.state is StageState.HELD:
            again = [gate for gate in stopping_gates(ws, stage) if _waits_for(ws, gate, metric)]
            if again:
                ask_again(ws, stage, again)
    release(ws)


def _waits_for(ws: Workspace, gate: GateRow, metric: str) -> bool:
    planned = ws.planned_gate(gate)
    return isinstance(planned, MeasurementGate) and planned.metric == metric
