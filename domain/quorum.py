"""When a gate's quorum is met, and when it no longer can be.

Fails closed: nobody to ask, or a threshold of nought, is an error and never a pass. Who counts for which requirement is
a matching, not first come, so the order of decisions does not matter. Who may decide is domain/eligibility.py.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from domain.errors import QuorumImpossible
from domain.plan import Each, Quorum
from domain.states import DecisionKind

_NONE: Mapping[str, frozenset[str]] = MappingProxyType({})
_EVERYBODY = ("all", "100 %", "100%")
"""Quorums that need somebody in every group: an empty one would be left out silently."""


class Origin(StrEnum):
    """Where a requirement comes from, which says what may take its place."""

    QUORUM = "quorum"  # the gate's own; an escalation may put others in its place
    BAND = "band"  # comes and goes with the amount that the bands look at
    ADDED = "added"  # one more approval that somebody asked for; stays as long as the gate is open


@dataclass(frozen=True)
class Requirement:
    """So many approvals out of these people. `name` is the role or address, or several joined by “, ”."""

    name: str
    members: frozenset[str]
    needed: int
    origin: Origin = Origin.QUORUM

    def to_json(self) -> dict[str, Any]:
        """Return {name, members, needed, origin} with the members sorted."""
        return {"name": self.name, "members": sorted(self.members), "needed": self.needed, "origin": self.origin.value}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Requirement:
        """Read what `to_json` wrote."""
        origin = Origin(stored.get("origin", Origin.QUORUM))
        return cls(stored["name"], frozenset(stored["members"]), stored["needed"], origin)


class Standing(StrEnum):
    """How far a quorum has come."""

    OPEN = "open"  # not met, and still can be
    MET = "met"
    OUT_OF_REACH = "out-of-reach"  # not met even if everybody undecided approved


@dataclass(frozen=True)
class Missing:
    """What one requirement still lacks, and the undecided people who could provide it, sorted."""

    name: str
    still_needed: int
    could_provide: tuple[str, ...]


@dataclass(frozen=True)
class Tally:
    """How a quorum stands: voices that count, voices needed, and what is missing requirement by requirement."""

    standing: Standing
    counted: int
    needed: int
    missing: tuple[Missing, ...]


def requirements(
    quorum: Quorum, groups: Mapping[str, frozenset[str]], extra: Mapping[str, frozenset[str]] = _NONE
) -> tuple[Requirement, ...]:
    """Return what a quorum comes to for these groups of eligible people (role or address to people), in plan order.

    Each entry of `extra` (the roles of budget bands) must give one further approval. Raises QuorumImpossible when a
    group that is needed is empty, when a threshold is nought, or when not even everybody's approval would be enough.
    """
    _refuse_empty(extra)
    asked = _per_group(quorum, groups) if isinstance(quorum, Each) else (_over_all(quorum, groups),)
    asked += tuple(Requirement(name, members, 1, Origin.BAND) for name, members in extra.items())
    _refuse_impossible(asked)
    return asked


def evaluate(
    requirements: Sequence[Requirement],
    decisions: Mapping[str, DecisionKind],
    stand_ins: frozenset[str] = frozenset(),
    binding: bool = True,
    silenced: Collection[str] = (),
) -> Tally:
    """Return how the quorum stands after each voice's latest decision. `silenced` are those who can decide no more.

    One person fills one seat; `stand_ins` (people escalated to) may fill one in any requirement. What people outside
    of the requirements say is ignored. With `binding` false every final decision counts as heard, a no as well.
    Raises QuorumImpossible without requirements, or when one needs nobody.
    """
    _refuse_nought(requirements)
    seating = _Seating(requirements, stand_ins)
    given = {person for person, decision in decisions.items() if _counts(decision, binding)}
    pending = seating.everybody - {person for person, decision in decisions.items() if decision.is_final}
    pending -= frozenset(silenced)
    counted, needed = seating.fill(given), seating.needed
    reachable = counted + seating.fill(pending - given)
    return Tally(_standing(counted, reachable, needed), counted, needed, seating.missing(given, pending))


def _counts(decision: DecisionKind, binding: bool) -> bool:
    return decision.is_approval if binding else decision.is_final


def _standing(counted: int, reachable: int, needed: int) -> Standing:
    if counted == needed:
        return Standing.MET
    return Standing.OPEN if reachable == needed else Standing.OUT_OF_REACH


def _per_group(quorum: Each, groups: Mapping[str, frozenset[str]]) -> tuple[Requirement, ...]:
    if not groups:
        raise QuorumImpossible("Nobody is named who could decide this gate.")
    _refuse_empty(groups)
    return tuple(Requirement(name, members, quorum.each) for name, members in groups.items())


def _over_all(quorum: str | int, groups: Mapping[str, frozenset[str]]) -> Requirement:
    union: frozenset[str] = frozenset().union(*groups.values())
    if not union:
        raise QuorumImpossible(f"There is nobody who may decide this gate{_named(groups)}.")
    if quorum in _EVERYBODY:
        _refuse_empty(groups)
    if (needed := _threshold(quorum, len(union))) < 1:
        raise QuorumImpossible(f"The quorum “{quorum}” asks for nobody's approval; a gate needs at least one.")
    return Requirement(", ".join(groups), union, needed)


def _threshold(quorum: str | int, people: int) -> int:
    if isinstance(quorum, int):
        return quorum
    if quorum.endswith("%"):
        return -(-people * int(quorum.removesuffix("%")) // 100)
    return {"any": 1, "all": people, "majority": people // 2 + 1}[quorum]


def _refuse_empty(groups: Mapping[str, frozenset[str]]) -> None:
    for name, members in groups.items():
        if not members:
            raise QuorumImpossible(
                f"Nobody may decide for “{name}”: nobody holds the role, or those who do are excluded at this gate."
            )


def _refuse_impossible(asked: Sequence[Requirement]) -> None:
    _refuse_nought(asked)
    seating = _Seating(asked, frozenset())
    reachable = seating.fill(seating.everybody)
    if reachable < seating.needed:
        raise QuorumImpossible(
            f"The quorum needs {seating.needed} approvals, but those who may decide can give only {reachable}; "
            "one person counts once, also in two groups."
        )


def _refuse_nought(asked: Sequence[Requirement]) -> None:
    if not asked or any(requirement.needed < 1 for requirement in asked):
        raise QuorumImpossible("A gate needs at least one approval; a quorum of nought never passes.")


def _named(groups: Collection[str]) -> str:
    return f": nobody holds {', '.join(f'“{name}”' for name in groups)}, or those who do are excluded" if groups else ""


class _Seating:
    """People seated at requirements, as many as possible: a maximum matching by augmenting paths (Kuhn, 1955).

    Whoever is seated stays seated, perhaps elsewhere. Names are taken in order, so the same input seats the same way.
    """

    def __init__(self, requirements: Sequence[Requirement], stand_ins: frozenset[str]) -> None:
        self._requirements, self._stand_ins = requirements, stand_ins
        self._seated: list[set[str]] = [set() for _ in requirements]
        self.needed = sum(requirement.needed for requirement in requirements)
        self.everybody = stand_ins.union(*(requirement.members for requirement in requirements))

    def fill(self, people: Iterable[str]) -> int:
        """Seat as many of these people as possible and return how many that were."""
        before = self._taken()
        for person in sorted(people):
            if self._taken() == self.needed:
                break
            self._place(person, set())
        return self._taken() - before

    def missing(self, given: Collection[str], pending: Collection[str]) -> tuple[Missing, ...]:
        """Return where a seat is not taken by somebody whose voice is given."""
        return tuple(
            Missing(requirement.name, lacking, self._could_sit(requirement, pending))
            for requirement, seated in zip(self._requirements, self._seated, strict=True)
            if (lacking := requirement.needed - len(seated & set(given)))
        )

    def _taken(self) -> int:
        return sum(map(len, self._seated))

    def _could_sit(self, requirement: Requirement, pending: Collection[str]) -> tuple[str, ...]:
        return tuple(sorted((requirement.members | self._stand_ins) & set(pending)))

    def _place(self, person: str, tried: set[int]) -> bool:
        for index, requirement in enumerate(self._requirements):
            if index in tried or not (person in requirement.members or person in self._stand_ins):
                continue
            tried.add(index)
            if len(self._seated[index]) < requirement.needed or self._make_room(index, tried):
                self._seated[index].add(person)
                return True
        return False

    def _make_room(self, index: int, tried: set[int]) -> bool:
        for seated in sorted(self._seated[index]):
            if self._place(seated, tried):
                self._seated[index].remove(seated)
                return True
        return False
