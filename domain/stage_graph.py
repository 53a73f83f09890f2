"""Which stage comes after which. `needs` maps each stage's id to the stages that must pass before it (plan.needs())."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter


def may_open(needs: Mapping[str, Sequence[str]], passed: Collection[str]) -> set[str]:
    """Return the stages that have not passed and whose needs all have: those of their needs, too.

    A stage that is asked again holds back everything after it that is not open yet, however far away.
    """
    done = set(passed)
    missing = {stage for before in needs.values() for stage in before}.union(needs) - done
    return needs.keys() - done - _after(needs, missing)


def onwards(needs: Mapping[str, Sequence[str]], stage_id: str) -> set[str]:
    """Return a stage and everything that needs it, directly or not. Raises KeyError for an unknown stage."""
    if stage_id not in needs:
        raise KeyError(stage_id)
    return {stage_id} | _after(needs, {stage_id})


def _after(needs: Mapping[str, Sequence[str]], first: set[str]) -> set[str]:
    """Return what needs one of these stages, directly or not."""
    found: set[str] = set()
    newest = first
    while newest:
        newest = {stage for stage, before in needs.items() if newest.intersection(before)} - found
        found |= newest
    return found


def comes_before(needs: Mapping[str, Sequence[str]], a: str, b: str) -> bool:
    """Whether `b` needs `a`, directly or not. A stage does not come before itself. Raises KeyError for unknown `a`."""
    return a != b and b in onwards(needs, a)


def find_cycle(needs: Mapping[str, Sequence[str]]) -> list[str] | None:
    """Return stages that need each other in a circle, each needed by the next, the first again at the end; or None."""
    try:
        TopologicalSorter(needs).prepare()
    except CycleError as error:
        return list(error.args[1])
    return None
