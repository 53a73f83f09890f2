"""Who may look after a rollout: change what it is about, answer for it, pass its questions on, call it off."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from domain.reasons import Reason

OPERATOR = "operator"
"""Whoever has access to the machine, and gives a command without saying in whose name."""

PREFECT = "prefect"
"""Whoever cancels a rollout's flow run in Prefect, which does not say who that is."""


@dataclass(frozen=True)
class Caretakers:
    """Those who look after a rollout, or one stage of it. Addresses in small letters."""

    owner: str
    requester: str
    stage_owners: frozenset[str] = frozenset()
    administrators: frozenset[str] = frozenset()


def why_may_not_look_after(person: str, caretakers: Caretakers, *, requester_may: bool = True) -> Reason | None:
    """Return why somebody may not look after a rollout, or None when they may.

    The owner, the owners of the stage it is about, administrators, the operator and Prefect always may; the requester
    where what is done leaves the gates' decisions to others (`requester_may`).
    """
    may: Collection[str] = {OPERATOR, PREFECT, caretakers.owner} | caretakers.stage_owners | caretakers.administrators
    if person in may or (requester_may and person == caretakers.requester):
        return None
    names = {"person": person, "owner": caretakers.owner}
    return Reason("{person} does not look after this rollout; {owner} does.", names)


def may_see(person: str, caretakers: Caretakers, others: Collection[str]) -> bool:
    """Whether somebody may look at a rollout: whoever looks after it, or is one of the others with a part in it.

    `caretakers` name the owners of all its stages; `others` are those who were asked in it, whose voice was lent there,
    and those whom the plan lets waive one of its gates.
    """
    return person in others or why_may_not_look_after(person, caretakers) is None
