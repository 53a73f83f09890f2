"""What the flow run of a gate comes to: which of its states pass the gate, and which do not.

The states are Etappe's own, fewer than Prefect's; tasks/run_gates.py reads Prefect's.
"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

from domain.reasons import Reason

LONGEST_NAME = 200


class RunState(StrEnum):
    """Where the flow run of a gate stands."""

    WAITING = "waiting"  # Prefect has it, and nothing works on it now
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CRASHED = "crashed"
    CANCELLED = "cancelled"
    DELETED = "deleted"  # somebody took it away in Prefect; what came of it cannot be known
    NONE = "none"  # its gate was closed before anything was started

    @property
    def is_under_way(self) -> bool:
        """Whether it may still come to something."""
        return self in UNDER_WAY


UNDER_WAY = frozenset({RunState.WAITING, RunState.RUNNING})
_BECAUSE = {
    RunState.COMPLETED: "the flow run “{name}” completed after {time}",
    RunState.FAILED: "the flow run “{name}” failed after {time}",
    RunState.CRASHED: "the flow run “{name}” crashed after {time}",
    RunState.CANCELLED: "the flow run “{name}” was cancelled in Prefect after {time}",
}


def settles(state: RunState) -> bool:
    """Whether an open gate is settled by a flow run in this state; a deleted one says neither yes nor no."""
    return state in _BECAUSE


def because(state: RunState, name: str, took: timedelta) -> Reason:
    """Return why a gate was settled by its flow run. Why the flow run failed stays in Prefect: an exception's text may
    hold what must not be in a record that nobody can change. Raises KeyError for a state that settles nothing."""
    return Reason(_BECAUSE[state], {"name": name, "time": str(timedelta(seconds=round(took.total_seconds())))})


def readable_name(name: str) -> str:
    """Return a flow run's name as mails and pages can hold it: one line, nothing that mail programs obey."""
    printable = "".join(character if character.isprintable() else " " for character in name)
    return printable.replace("=?", "= ?")[:LONGEST_NAME].strip()
