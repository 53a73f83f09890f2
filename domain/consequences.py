"""What happens on yes, on no and on silence, said before anybody decides."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from domain import silence
from domain.conditions import condition_id_in
from domain.plan import (
    AcknowledgementGate,
    AutomaticGate,
    ChecklistGate,
    Consequence,
    Escalation,
    Gate,
    MeasurementGate,
    ReviewGate,
    outcome_of,
    takes_no_answers,
)
from domain.reasons import Fact, Reason
from domain.renewal import rule_of
from domain.states import Outcome

ON_ANSWERED = Reason(
    "Everybody who is still asked hears your answer and what has changed, and the clock goes on. Whoever approved what "
    "you change is asked again."
)
"""What follows when the owner answers a request for changes."""
WHILE_PAUSED = Reason("The clock stands still until those who look after this have answered the request for changes.")
"""What silence leads to while the owner is asked for changes."""


def on_yes(gate: Gate, still_needed: int) -> Reason:
    """Return what an approval leads to when `still_needed` voices are missing, this one included."""
    if isinstance(gate, AcknowledgementGate):
        return Reason("Your confirmation is counted.")
    if isinstance(gate, ChecklistGate) and not gate.approvers:
        return Reason("Once the list is complete, the gate passes.")
    if still_needed <= 1:
        return Reason("Yours is the last voice that is needed: the gate passes at once.")
    if still_needed == 2:
        return Reason("Your voice counts; one more is then needed before the gate passes.")
    more = {"count": still_needed - 1}
    return Reason("Your voice counts; {count} more are then needed before the gate passes.", more)


def on_filled(gate: Gate) -> Reason:
    """Return what bringing a list or a value leads to."""
    if isinstance(gate, MeasurementGate) and gate.holds_for is not None:
        facts = {"holds_for": str(gate.holds_for)}
        return Reason("The gate passes once every value has met the target for {holds_for}.", facts)
    if isinstance(gate, MeasurementGate):
        return Reason("If the value meets the target, the gate passes at once.")
    if condition_id_in(gate.id) is not None:
        return Reason("Whoever made the condition then says whether it is met.")
    if isinstance(gate, ChecklistGate) and gate.approvers:
        return Reason("Once the list is complete, those who approve it are asked.")
    return Reason("Once the list is complete, the gate passes.")


def on_no(gate: Gate, recycle_title: str) -> Reason | None:
    """Return what a refusal leads to; None where there is no “no” to say. `recycle_title`: the stage gone back to."""
    if isinstance(gate, AcknowledgementGate):
        return None
    if not getattr(gate, "binding", True):
        return Reason("You are heard, and everybody sees what you say; a no does not stop the stage.")
    if isinstance(gate, ReviewGate):
        return Reason("On hold, the stage waits; back, it is asked again from an earlier stage on; a stop is for good.")
    if isinstance(gate, MeasurementGate):
        return _follows(gate.on_reject, recycle_title, _IF_TARGET_IS_MISSED)
    if isinstance(gate, AutomaticGate):
        return _follows(gate.on_reject, recycle_title, _IF_IT_FAILS)
    return _follows(gate.on_reject, recycle_title, _IF_OUT_OF_REACH)


_IF_OUT_OF_REACH = {
    Outcome.HOLD: "If the gate can then no longer pass, the stage is put on hold.",
    Outcome.KILL: "If the gate can then no longer pass, the rollout ends for good.",
    Outcome.RECYCLE: "If the gate can then no longer pass, the rollout goes back to “{stage}”.",
}
_IF_TARGET_IS_MISSED = {
    Outcome.HOLD: "If the value misses the target, the stage is put on hold.",
    Outcome.KILL: "If the value misses the target, the rollout ends for good.",
    Outcome.RECYCLE: "If the value misses the target, the rollout goes back to “{stage}”.",
}
_IF_IT_FAILS = {
    Outcome.HOLD: "If it fails, the stage is put on hold.",
    Outcome.KILL: "If it fails, the rollout ends for good.",
    Outcome.RECYCLE: "If it fails, the rollout goes back to “{stage}”.",
}
_IF_TIME_IS_UP = {
    Outcome.HOLD: "Nobody's silence counts as a yes: on {moment} the stage is put on hold.",
    Outcome.KILL: "Nobody's silence counts as a yes: on {moment} the rollout ends for good.",
    Outcome.RECYCLE: "Nobody's silence counts as a yes: on {moment} the rollout goes back to “{stage}”.",
}


def _follows(consequence: Consequence, recycle_title: str, sentences: dict[Outcome, str]) -> Reason:
    return Reason(sentences[outcome_of(consequence)], {"stage": recycle_title})


def on_silence(
    gate: Gate,
    expires_at: datetime | None,
    recycle_title: str,
    escalate_at: datetime | None,
    escalate_to: str,
    objected: Collection[str] = (),
) -> Reason:
    """Return what happens when nobody says anything: the next thing that comes by itself. Times are UTC.

    Where silence counts as consent, `objected` are those whose last word stands in its way, by name.
    """
    if expiry_outcome(gate) is Outcome.GO:
        return silence.said_before(expires_at, objected)
    if escalate_at and escalate_to and (expires_at is None or escalate_at < expires_at):
        return Reason(
            "Nobody's silence counts as a yes: from {moment} on, {people} will be asked.",
            {"moment": escalate_at, "people": escalate_to},
        )
    if expires_at and gate.expires:
        outcome = expiry_outcome(gate)
        return Reason(_IF_TIME_IS_UP[outcome], {"moment": expires_at, "stage": recycle_title})
    return Reason("Nobody's silence counts as a yes: the stage waits until it is decided.")


def on_escalation(gate: Gate, level: Escalation, at: datetime, people: str) -> Reason:
    """Return what the next level of escalation does at `at` (UTC). `people` are the names of those behind it."""
    facts: dict[str, Fact] = {"moment": at, "people": people, "role": level.to}
    if not people:
        return Reason("On {moment} it is escalated to “{role}”, which nobody holds.", facts)
    if isinstance(gate, AcknowledgementGate) or takes_no_answers(gate):  # nobody else could be asked
        return Reason("On {moment} it is escalated; told that it has not passed: {people}.", facts)
    if level.replace:
        return Reason("On {moment} it is escalated; asked instead from then on: {people}.", facts)
    return Reason("On {moment} it is escalated; asked as well from then on: {people}.", facts)


_WHEN_TIME_IS_UP = {
    Outcome.HOLD: "Its time is up on {moment}: the stage is then put on hold.",
    Outcome.KILL: "Its time is up on {moment}: the rollout then ends for good.",
    Outcome.RECYCLE: "Its time is up on {moment}: the rollout then goes back to “{stage}”.",
}


def on_expiry(gate: Gate, expires_at: datetime, recycle_title: str, objected: Collection[str] = ()) -> Reason:
    """Return what follows when a gate's time is up at `expires_at` (UTC); `objected` as with `on_silence`."""
    outcome = expiry_outcome(gate)
    if outcome is Outcome.GO:
        return silence.said_before(expires_at, objected)
    return Reason(_WHEN_TIME_IS_UP[outcome], {"moment": expires_at, "stage": recycle_title})


def on_renewal_silence(gate: Gate, due_at: datetime | None) -> Reason:
    """Return what happens when nobody answers a renewal by `due_at` (UTC)."""
    rule = rule_of(gate)
    if due_at is None or rule is None:
        return Reason("What has passed holds on until it is answered.")
    if rule.blocks_new_stages:
        return Reason("After {moment} it is escalated, and no further stage opens until it is answered.",
                      {"moment": due_at})  # fmt: skip
    return Reason("After {moment} it is escalated; what has passed holds on until it is answered.", {"moment": due_at})


def expiry_outcome(gate: Gate) -> Outcome:
    """Return what a gate comes to when its time is up: “reject” follows the gate's on_reject."""
    if gate.expires is None:
        return Outcome.HOLD
    outcome = gate.expires.outcome
    if outcome == "pass":
        return Outcome.GO
    return outcome_of(gate.on_reject if outcome == "reject" else outcome)
