"""Why something does not go on, as typed facts: what is missing, who can provide it, what comes by itself, ways out.

The sentences are Reasons. The last words of a way out are a command that works as it stands, but for words in capitals,
which only the reader knows (a VALUE, an EMAIL).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from domain.reasons import Fact, Reason
from domain.states import GateState, RolloutState, StageState

_COMMAND = ": etappe "
MOST_NAMES = 8
"""How many are named in one sentence; an acknowledgement may wait for a whole company."""
MOST_REASSIGNED = 3
"""For how many of those who are asked it is said how to ask somebody else."""


class About(StrEnum):
    """What an explanation is about."""

    ROLLOUT = "rollout"
    STAGE = "stage"
    GATE = "gate"


@dataclass(frozen=True)
class LostMail:
    """A mail that somebody should have had since then (UTC): refused for good, or still waiting.

    `error` is what the mail server said last, "" when nobody has tried yet.
    """

    refused: bool
    since: datetime
    error: str = ""


@dataclass(frozen=True)
class Asked:
    """Somebody who can provide what is missing, by address and name.

    `on_behalf_of` is the name of whose voice they lend, "" for their own; `delegate` who was asked in their place. They
    are away until the end of the day `away_until`, where they live. They may not know that they are asked when their
    mail was `lost`.
    """

    email: str
    name: str
    on_behalf_of: str = ""
    away_until: date | None = None
    delegate: str = ""
    lost: LostMail | None = None


@dataclass(frozen=True)
class Explanation:
    """Why a gate, a stage or a rollout does not go on. `title` is in the reader's language; moments are UTC.

    `stage` is the stage's id, "" for what is about the whole rollout. Without `missing` all is well.
    """

    about: About
    id: str
    title: str
    missing: tuple[Reason, ...]
    stage: str = ""
    since: datetime | None = None
    due_at: datetime | None = None
    people: tuple[Asked, ...] = ()
    next: tuple[Reason, ...] = ()
    ways_out: tuple[Reason, ...] = ()

    @property
    def sentences(self) -> tuple[Reason, ...]:
        """What is missing, who can provide it, what comes next."""
        return *self.missing, *who_can_provide(self.people), *self.next


@dataclass(frozen=True)
class GateShown:
    """A gate in its newest round, and why it does not go on, if it should."""

    id: str
    title: str
    kind: str
    state: GateState
    round: int
    since: datetime | None
    due_at: datetime | None
    explanation: Explanation | None


@dataclass(frozen=True)
class StageShown:
    """A stage in its newest round with its gates. It counts as stalled since `stalled_since`."""

    id: str
    title: str
    state: StageState
    round: int
    since: datetime | None
    stalled_since: datetime | None
    explanation: Explanation | None
    gates: tuple[GateShown, ...]


@dataclass(frozen=True)
class RolloutShown:
    """A whole rollout, explained at the moment `at`. Names and titles are for one reader, in `language`."""

    id: str
    title: str
    plan_title: str
    state: RolloutState
    language: str
    time_zone: str
    requester_name: str
    owner_name: str
    owner_email: str
    created_at: datetime
    at: datetime
    about_it: tuple[Explanation, ...]
    stages: tuple[StageShown, ...]

    @property
    def explanations(self) -> tuple[Explanation, ...]:
        """Everything that is explained: the rollout first, then its stages with their gates, in the plan's order."""
        found = (
            one for stage in self.stages for one in (stage.explanation, *(gate.explanation for gate in stage.gates))
        )
        return *self.about_it, *(one for one in found if one is not None)


_ONE = {
    "confirmations": "The one confirmation that it takes is missing.",
    "answers": "The one answer that it takes is missing.",
    "approvals": "The one approval that it takes is missing.",
}
_ONE_OF_SEVERAL = {
    "confirmations": "1 of {needed} confirmations is missing.",
    "answers": "1 of {needed} answers is missing.",
    "approvals": "1 of {needed} approvals is missing.",
}
_SEVERAL = {
    "confirmations": "{count} of {needed} confirmations are missing.",
    "answers": "{count} of {needed} answers are missing.",
    "approvals": "{count} of {needed} approvals are missing.",
}


def voices_missing(kind: str, missing: int, needed: int, *, binding: bool = True) -> Reason:
    """Say how many voices a gate lacks. Where it is not `binding`, any answer counts."""
    voices = "confirmations" if kind == "acknowledgement" else "approvals" if binding else "answers"
    facts = {"count": missing, "needed": needed}
    if needed == 1:
        return Reason(_ONE[voices], facts)
    return Reason(_ONE_OF_SEVERAL[voices] if missing == 1 else _SEVERAL[voices], facts)


def who_can_provide(people: Sequence[Asked]) -> tuple[Reason, ...]:
    """Say who is asked, who of them is away until when and who answers for them, and who may not know of it."""
    if not people:
        return ()
    in_order = sorted(people, key=lambda one: bool(one.on_behalf_of))  # whose voice it is, before who lends it
    return (
        _named(list(dict.fromkeys(one.name for one in in_order))),
        *(_away(one) for one in people if one.away_until),
        *(Reason("{person} is asked in the place of {delegator}.", _lent(one)) for one in people if one.on_behalf_of),
        *_unaware(people),
    )


def _named(names: Sequence[str]) -> Reason:
    shown = ", ".join(names[:MOST_NAMES])
    if len(names) > MOST_NAMES:
        return Reason("Waits for {people} and {count} more.", {"people": shown, "count": len(names) - MOST_NAMES})
    return Reason("Waits for {people}.", {"people": shown})


def _lent(one: Asked) -> dict[str, Fact]:
    return {"person": one.name, "delegator": one.on_behalf_of}


def _away(one: Asked) -> Reason:
    facts = {"person": one.name, "day": one.away_until.isoformat() if one.away_until else "", "delegate": one.delegate}
    if one.delegate:
        return Reason("{person} is away until {day}; {delegate} answers in their place.", facts)
    return Reason("{person} is away until {day}, and nobody answers in their place.", facts)


def _unaware(people: Sequence[Asked]) -> tuple[Reason, ...]:
    """Whoever lost their mail in the same way is named in one sentence: a mail server that is down fails everybody."""
    lost: dict[LostMail, list[str]] = {}
    for one in people:
        if one.lost:
            lost.setdefault(one.lost, []).append(one.name)
    return tuple(why_unaware(mail, names) for mail, names in lost.items())


def why_unaware(mail: LostMail, names: Sequence[str]) -> Reason:
    """Say why these people may not know that they are asked."""
    facts: dict[str, Fact] = {"people": ", ".join(names[:MOST_NAMES]), "moment": mail.since, "error": mail.error}
    if mail.refused:
        return Reason("May not know of it, as the mail was refused for good: {people}. The answer was: {error}", facts)
    if mail.error:
        return Reason(
            "May not know of it, as the mail waits since {moment}: {people}. The last try said: {error}", facts
        )
    return Reason(
        "May not know of it, as the mail waits since {moment} and nobody has tried to send it: {people}.", facts
    )


def split_command(said: str) -> tuple[str, str]:
    """Return the words and the command of a way out that was put into words; without a command, "" for it."""
    words, found, command = said.rpartition(_COMMAND)
    return (words, f"etappe {command}") if found else (said, "")
