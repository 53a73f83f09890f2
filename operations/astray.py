"""What looks as if all were well, and is not: mails that have not arrived, Prefect left behind, no check. Read only."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from domain.explanation import About, Explanation
from domain.lateness import PREFECT_MAY_TAKE, is_late
from domain.reasons import Fact, Reason
from domain.states import ENDED, RolloutState
from models.outbox import MessageState
from models.record import entries_after
from operations import delivery
from operations.check_health import check_health
from operations.explanations import Explainer

_MEND = Reason("To compare with Prefect now: etappe check-stalled")
_MEND_ADDRESS = Reason("Put the right address into the directory file and import it again, or speak to them yourself.")
_LOOK = Reason("To see what is wrong: etappe doctor")


def about_the_rollout(explainer: Explainer) -> tuple[Explanation, ...]:
    """Explain the rollout as a whole: that it has not begun or has ended, then whatever went astray."""
    said = (_beginning(explainer), _end(explainer), *_refused_mails(explainer), _late_mails(explainer),
            *behind_in_prefect(explainer), _late_check(explainer))  # fmt: skip
    return tuple(one for one in said if one is not None)


def _about(explainer: Explainer, missing: tuple[Reason, ...], since: datetime | None = None,
           next_: tuple[Reason, ...] = (), ways_out: tuple[Reason, ...] = ()) -> Explanation:  # fmt: skip
    rollout = explainer.ws.rollout
    return Explanation(About.ROLLOUT, rollout.id, rollout.title, missing, since=since, next=next_, ways_out=ways_out)


def _beginning(explainer: Explainer) -> Explanation | None:
    rollout = explainer.ws.rollout
    if rollout.state is not RolloutState.WAITING or rollout.start_on is None:
        return None
    begins = Reason("It begins on {day}, and until then nobody is asked.", {"day": rollout.start_on.isoformat()})
    return _about(explainer, (begins,), rollout.created_at)


def _end(explainer: Explainer) -> Explanation | None:
    rollout = explainer.ws.rollout
    if rollout.state not in ENDED or rollout.ended_at is None:
        return None
    facts: dict[str, Fact] = {"moment": rollout.ended_at, "because": rollout.ended_because or ""}
    ended = {
        RolloutState.COMPLETED: Reason("Every stage has passed; it was completed on {moment}.", facts),
        RolloutState.KILLED: Reason("It was stopped for good on {moment}: {because}", facts),
        RolloutState.CANCELLED: Reason("It was called off on {moment}: {because}", facts),
    }[rollout.state]
    return _about(explainer, (ended,), rollout.ended_at)


def _refused_mails(explainer: Explainer) -> Iterator[Explanation]:
    for message in delivery.not_arrived(explainer.messages, explainer.ws.now):
        if message.state is MessageState.DEAD:
            facts: dict[str, Fact] = {"person": message.recipient, "error": message.last_error or ""}
            yield _about(
                explainer,
                (Reason("A mail to {person} was refused for good: {error}", facts),),
                message.settled_at,
                (_MEND_ADDRESS,),
            )


def _late_mails(explainer: Explainer) -> Explanation | None:
    now = explainer.ws.now
    late = [message for message in explainer.messages if delivery.has_not_arrived(message, now)]
    waiting = [message for message in late if message.state is MessageState.PENDING]
    if not waiting:
        return None
    since = min(map(delivery.waits_since, waiting))
    errors = [message.last_error for message in waiting if message.last_error]
    facts: dict[str, Fact] = {"count": len(waiting), "moment": since, "error": errors[-1] if errors else ""}
    said = Reason(
        "Mails not delivered yet: {count}, the first since {moment}. Nobody has tried: is the relay running?", facts
    )
    if errors:
        said = Reason("Mails not delivered yet: {count}, the first since {moment}. The last try said: {error}", facts)
    return _about(explainer, (said,), since, ways_out=(_LOOK,))


def behind_in_prefect(explainer: Explainer) -> Iterator[Explanation]:
    """Explain where Prefect does not keep up: no flow run, a lost wake, an old page.

    Only what has taken long: for a while it is quite usual to be ahead of Prefect.
    """
    rollout, now = explainer.ws.rollout, explainer.ws.now
    if rollout.flow_run_id is None:
        if rollout.state not in ENDED and is_late(rollout.created_at, PREFECT_MAY_TAKE, now):
            missing = Reason("It has no flow run: Prefect does not show it, and nothing of it can run there.")
            yield _about(explainer, (missing,), rollout.created_at, ways_out=(_MEND,))
        return
    if is_late(rollout.wake_at, PREFECT_MAY_TAKE, now):
        lost = Reason("Its flow run was to be woken on {moment}, and has not done its part since.",
                      {"moment": rollout.wake_at or now})  # fmt: skip
        yield _about(explainer, (lost,), rollout.wake_at, ways_out=(_MEND,))
    if is_late(unpainted := _not_painted_since(explainer), PREFECT_MAY_TAKE, now):
        behind = Reason("Prefect's page of it does not show what has happened since {moment}.",
                        {"moment": unpainted or now})  # fmt: skip
        yield _about(explainer, (behind,), unpainted, ways_out=(_LOOK,))


def _not_painted_since(explainer: Explainer) -> datetime | None:
    rollout = explainer.ws.rollout
    entry = explainer.ws.session.scalars(entries_after(rollout.id, rollout.painted).limit(1)).first()
    return entry.at if entry else None


def _late_check(explainer: Explainer) -> Explanation | None:
    """Once for the whole rollout, however many gates wait for it; one that has ended waits for no check."""
    ws = explainer.ws
    health = check_health(ws.session, ws.now)
    if ws.rollout.state in ENDED or not health.late:
        return None
    since = health.finished_at or ws.rollout.created_at
    facts: dict[str, Fact] = {"moment": since}
    said = Reason("The scheduled check has not run since {moment}; without it nobody is reminded, nothing is escalated "
                  "and nothing expires.", facts)  # fmt: skip
    return _about(explainer, (said,), since, ways_out=(Reason("To run it by hand: etappe check-stalled"),))
