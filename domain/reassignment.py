"""Passing a question on to somebody else, and asking for one more approval: what stands in the way of either.

Who may do so is said in domain/authority.py (those who look after the stage), who may speak at a gate in
domain/eligibility.py.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from domain.eligibility import Separation, Voice, why_may_not_speak
from domain.reasons import Reason


@dataclass(frozen=True)
class Table:
    """Who has a seat at a gate, and what was said there. All addresses in small letters."""

    members: frozenset[str]
    separation: Separation
    spoken: tuple[Voice, ...] = ()
    present: frozenset[str] = frozenset()
    """Everybody in the directory."""


def why_may_not_join(person: str, by: str, table: Table) -> Reason | None:
    """Return why somebody cannot be given a seat at a gate by another one, or None when they can."""
    if person == by:
        return Reason("Nobody can name themself; have somebody else name you.")
    if person not in table.present:
        return Reason("{person} is not in the directory.", {"person": person})
    if person in table.members:
        return Reason("{person} decides here already.", {"person": person})
    return why_may_not_speak(Voice(person, person), table.members | {person}, table.separation, table.spoken)


def why_may_not_leave(person: str, table: Table) -> Reason | None:
    """Return why somebody's seat cannot be given to another one, or None when it can."""
    if person not in table.members:
        return Reason("{person} is not asked here.", {"person": person})
    if any(voice.principal == person for voice in table.spoken):
        return Reason("{person} has answered here already; that stands.", {"person": person})
    return None


def why_may_not_take_over(
    person: str, left_by: str, by: str, table: Table, may_be_lent: bool, roles: Collection[str], held: Collection[str]
) -> Reason | None:
    """Return why somebody cannot take the seat of another one at a gate, or None when they can.

    Where the plan says that nobody can decide for somebody else (`may_be_lent`), they must hold one of the `roles` that
    the other one was asked for; `held` are those of them that they do hold.
    """
    if person == left_by:
        return Reason("{person} is asked here already.", {"person": person})
    if reason := why_may_not_leave(left_by, table) or why_may_not_join(person, by, table):
        return reason
    if not may_be_lent and not held:
        return Reason(
            "The plan says that nobody can decide here for somebody else; only who holds {roles} may take over.",
            {"roles": ", ".join(f"“{role}”" for role in roles)},
        )
    return None


def why_may_not_bring_instead(
    person: str, left_by: str, by: str, table: Table, asked: Collection[str]
) -> Reason | None:
    """Return why somebody cannot fill in or measure instead of another one, or None when they can.

    `asked` are those who are asked to bring it now; whoever decides on it cannot bring it.
    """
    if left_by not in asked:
        return Reason("{person} is not asked here.", {"person": left_by})
    if person == by:
        return Reason("Nobody can name themself; have somebody else name you.")
    if person not in table.present:
        return Reason("{person} is not in the directory.", {"person": person})
    if person in asked:
        return Reason("{person} is asked here already.", {"person": person})
    if person in table.members:
        return Reason("{person} decides here on what is brought.", {"person": person})
    return None
