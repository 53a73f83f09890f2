"""Silence as consent: when the time for objections is up, whether nobody's silence stands in the way of a pass.

Only where the plan says so. It is recorded as silence, never as approval.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from domain.reasons import Reason
from domain.states import DecisionKind


def nobody_objected(silent: Collection[str]) -> Reason:
    """Return why a gate has passed by the silence of these people."""
    return Reason("nobody objected within the time for objections; silent: {people}", _named(silent))


def why_no_consent(
    decisions: Mapping[str, DecisionKind], not_asked: Collection[str], not_reached: Collection[str]
) -> Reason | None:
    """Return why silence does not count as consent at a gate whose time is up, or None when it does.

    `decisions` is each voice's last word; `not_asked` are people whose voice counts and who were never asked;
    `not_reached` those who are asked, and whose mail was not delivered. People are named as they come.
    """
    objected = [person for person, word in decisions.items() if word is DecisionKind.REJECT]
    unanswered = [person for person, word in decisions.items() if word is DecisionKind.REQUEST_CHANGES]
    if objected:
        return Reason("silence is no consent here, because {people} objected", _named(objected))
    if unanswered:
        return Reason("silence is no consent here, because {people} asked for changes", _named(unanswered))
    if not_asked:
        return Reason("silence is no consent here, because not everybody was asked: {people}", _named(not_asked))
    if not_reached:
        return Reason("silence is no consent here, because a mail was not delivered: {people}", _named(not_reached))
    return None


def said_before(by: datetime | None, objected: Collection[str]) -> Reason:
    """Return what silence leads to where it counts, said before anybody decides. `by` is when time is up (UTC).

    `objected` are those whose last word is a no or asks for changes. Who else will be asked changes nothing about it.
    """
    if by is None:
        return Reason("Silence counts as consent here: if nobody objects in time, the gate passes.")
    if objected:
        return Reason(
            "Silence would count as consent here, but {people} objected or asked for changes: unless that changes by "
            "{moment}, the stage is put on hold.",
            {"people": ", ".join(objected), "moment": by},
        )
    return Reason("Silence counts as consent here: if nobody objects by {moment}, the gate passes.", {"moment": by})


def objections(decisions: Mapping[str, DecisionKind]) -> list[str]:
    """Return whose last word stands in the way of consent by silence."""
    return [person for person, word in decisions.items() if word in (DecisionKind.REJECT, DecisionKind.REQUEST_CHANGES)]


def _named(people: Collection[str]) -> dict[str, str]:
    return {"people": ", ".join(people)}
