"""docs/states.md, made from the tables in domain/states.py: `python -m domain.states_page > docs/states.md`."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from enum import StrEnum

from domain.states import GATE_TRANSITIONS, ROLLOUT_TRANSITIONS, STAGE_TRANSITIONS, Event

CAUSES: Mapping[str, Mapping[Event, str]] = {
    "rollout": {
        Event.OPENED: "its start date has come",
        Event.HELD: "a gate refused with the outcome hold",
        Event.RESUMED: "somebody resumed it, or a new value was measured, and no stage is held any more",
        Event.COMPLETED: "every stage has passed",
        Event.KILLED: "a gate refused with the outcome kill",
        Event.CANCELLED: "somebody called it off, here or in Prefect",
    },
    "stage": {
        Event.OPENED: "every stage it needs has passed",
        Event.PASSED: "all its gates passed or were waived",
        Event.HELD: "one of its gates refused with the outcome hold",
        Event.RESUMED: "somebody resumed the rollout, or a new value was measured",
        Event.FAILED: "one of its gates refused with the outcome kill",
        Event.SKIPPED: "the rollout ended, went back to an earlier stage, or follows a version of its plan without it",
    },
    "gate": {
        Event.OPENED: "its stage is open and there is somebody to ask",
        Event.PASSED: "its quorum, target or share was met, or its list is complete",
        Event.REJECTED: "its quorum can no longer be met, or the value misses the target",
        Event.EXPIRED: "time was up",
        Event.WAIVED: "an authorised person let it pass",
        Event.WITHDRAWN: "the rollout ended, went back, or follows a version of its plan that asks otherwise",
    },
}
TABLES: Mapping[str, Mapping[tuple[StrEnum, Event], StrEnum]] = {
    "rollout": ROLLOUT_TRANSITIONS,  # type: ignore[dict-item]  # a mapping is invariant in its key
    "stage": STAGE_TRANSITIONS,  # type: ignore[dict-item]
    "gate": GATE_TRANSITIONS,  # type: ignore[dict-item]
}


def page() -> str:
    """Return docs/states.md."""
    return "# States\n\nGenerated from `domain/states.py`. What is not listed is not allowed.\n" + "".join(
        _section(subject) for subject in TABLES
    )


def _section(subject: str) -> str:
    table = TABLES[subject]
    states = type(next(iter(table.values())))
    arrows = "".join(f"    {source} --> {target}: {event}\n" for (source, event), target in table.items())
    rows = "".join(
        f"| {source} | {event} | {target} | {CAUSES[subject][event]} |\n" for (source, event), target in table.items()
    )
    ends = ", ".join(state for state in states if state not in {source for source, _ in table})
    return (
        f"\n## {subject.capitalize()}\n\n```mermaid\nstateDiagram-v2\n    [*] --> waiting\n{arrows}```\n\n"
        f"| from | event | to | because |\n| --- | --- | --- | --- |\n{rows}\nNothing leads out of: {ends}.\n"
    )


if __name__ == "__main__":
    sys.stdout.write(page())
