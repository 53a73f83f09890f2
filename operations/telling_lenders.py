"""What is told to those who lend a voice and to those who give it, when that is agreed and when it is ended early."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from domain.reasons import Fact, Reason
from models.delegations import Delegation
from models.people import Person
from notifications import dedup
from operations.telling import tell_person, who_has_said_so


def tell_of_giving(session: Session, delegation: Delegation, now: datetime) -> None:
    """Tell both of a delegation that was given."""
    facts, mails = _facts(session, delegation), _Mails(session, delegation, "given", now)
    both = Reason("Whichever of the two answers first has answered for both, and the record names both.")
    by = [] if delegation.given_by == delegation.delegator else [who_has_said_so(session, delegation.given_by)]
    mails.write(
        delegation.delegate,
        Reason("You answer for {delegator} for a time", facts),
        [Reason("From {first} until {last}, what {delegator} is asked is asked of you as well.", facts), both],
    )
    mails.write(
        delegation.delegator,
        Reason("{delegate} answers for you for a time", facts),
        [Reason("From {first} until {last}, what you are asked is asked of {delegate} as well.", facts), both, *by],
        [Reason("To end it early: the page behind a link of yours, or etappe people end-delegation {number}", facts)],
    )


def tell_of_ending(session: Session, delegation: Delegation, now: datetime) -> None:
    """Tell both of a delegation that was ended before its time."""
    facts, mails = _facts(session, delegation), _Mails(session, delegation, "ended", now)
    mails.write(
        delegation.delegate,
        Reason("You no longer answer for {delegator}", facts),
        [Reason("What you were asked in their place has been taken back; there is nothing left to do there.")],
    )
    mails.write(
        delegation.delegator,
        Reason("{delegate} no longer answers for you", facts),
        [Reason("What still waits for you is asked of you alone.")],
    )


def _facts(session: Session, delegation: Delegation) -> dict[str, Fact]:
    delegator = session.get_one(Person, delegation.delegator)
    return {
        "delegator": delegator.name,
        "delegate": session.get_one(Person, delegation.delegate).name,
        "first": delegation.term.first_day(delegator.time_zone).isoformat(),
        "last": delegation.term.last_day(delegator.time_zone).isoformat(),
        "number": str(delegation.id),
    }


@dataclass(frozen=True)
class _Mails:
    session: Session
    delegation: Delegation
    event: str
    now: datetime

    def write(
        self, person: str, headline: Reason, sentences: Sequence[Reason], what_to_do: Sequence[Reason] = ()
    ) -> None:
        key = dedup.delegation(self.delegation.id, self.event, person)
        tell_person(self.session, self.now, person, key, headline, sentences, what_to_do)
