"""Lend a voice to somebody for a time, and end that early.

Giving and ending are a transaction each; what follows in the rollouts has one for each of them, under its lock. What a
crash leaves undone, the scheduled check does (operations/apply_delegations.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from domain.delegation import Loan, Term, problems, why_may_not_act_for
from domain.eligibility import normalise_address
from domain.errors import InvalidInput, NotAllowed, UnknownDelegation, UnknownPerson
from domain.plan import ADMINISTRATOR
from domain.reasons import Reason
from models.database import Database
from models.delegations import Delegation, delegation_locked, delegations_of
from models.people import Person, holders_present, people_present, person_locked
from operations.apply_delegations import apply_delegation, take_back
from operations.telling_lenders import tell_of_ending, tell_of_giving
from operations.workspace import Actor


def delegate(
    db: Database,
    keys: Sequence[bytes],
    delegator: str,
    to: str,
    starts_at: datetime,
    ends_at: datetime,
    actor: Actor,
    now: datetime,
) -> int:
    """Lend somebody's voice to another one, from `starts_at` until `ends_at` (aware, not included); returns its id.

    What waits for them already is asked of the delegate at once when it holds now. A beginning in the past is now.
    Raises UnknownPerson, NotAllowed when `actor` may not give it, or InvalidInput with the fields to, from and until.
    """
    with db.write() as session:
        given = give(session, normalise_address(delegator), to, Term(starts_at, ends_at), actor, now)
    apply_delegation(db, keys, given, now)
    return given


def give(session: Session, delegator: str, to: str, term: Term, actor: Actor, now: datetime) -> int:
    """Store a delegation in a transaction that has begun, and return its id. Raises what `delegate` raises."""
    person = session.scalars(person_locked(delegator)).one_or_none()
    if person is None:
        raise UnknownPerson(Reason("{person} is not in the directory.", {"person": delegator}))
    _refuse_strangers(session, person, actor)
    loan = Loan(delegator, _address(to), actor.address, Term(max(term.starts_at, now), term.ends_at))
    present = {one.email for one in session.scalars(people_present())}
    lent = [one.term for one in session.scalars(delegations_of(delegator))]
    if wrong := problems(loan, present, lent, now):
        raise InvalidInput(next(iter(wrong.values())), wrong)
    return _store(session, loan, now)


def _address(to: str) -> str:
    try:
        return normalise_address(to)
    except InvalidInput as refusal:
        raise InvalidInput(refusal.sentence, {"to": Reason("Write an address like anna.keller@example.com.")}) from None


def _refuse_strangers(session: Session, person: Person, actor: Actor) -> None:
    if reason := why_may_not_act_for(person.email, actor.address, person.assistant, administrators_now(session)):
        raise NotAllowed(reason)


def administrators_now(session: Session) -> set[str]:
    """Return who holds the directory's role of administrator."""
    return {holder.email for holder in session.scalars(holders_present()) if holder.role == ADMINISTRATOR}


def _store(session: Session, loan: Loan, now: datetime) -> int:
    delegation = Delegation(
        delegator=loan.delegator,
        delegate=loan.delegate,
        starts_at=loan.term.starts_at,
        ends_at=loan.term.ends_at,
        given_by=loan.given_by,
        created_at=now,
    )
    session.add(delegation)
    session.flush()
    tell_of_giving(session, delegation, now)
    return delegation.id


def end_delegation(db: Database, keys: Sequence[bytes], delegation_id: int, actor: Actor, now: datetime) -> None:
    """End a delegation before its time; what is asked by it is taken back at once.

    Raises UnknownDelegation, NotAllowed when `actor` may not, or InvalidInput when it is over already.
    """
    with db.write() as session:
        end(session, delegation_id, actor, now)
    take_back(db, keys, delegation_id, now)


def end(session: Session, delegation_id: int, actor: Actor, now: datetime) -> None:
    """End a delegation in a transaction that has begun. Raises what `end_delegation` raises."""
    delegation = session.scalars(delegation_locked(delegation_id)).one_or_none()
    if delegation is None:
        raise UnknownDelegation()
    _refuse_strangers(session, session.get_one(Person, delegation.delegator), actor)
    if delegation.term.ends_at <= now:
        raise InvalidInput(Reason("This delegation is over already."))
    delegation.revoked_at = now
    tell_of_ending(session, delegation, now)
