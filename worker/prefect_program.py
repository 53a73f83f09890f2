"""Prefect's own command, with two changes: `python -m worker.prefect_program server start` is `prefect server start`.

SQLAlchemy 2.1 refuses a bulk insert that names a hybrid property without a setter for it, and 2.0 passed over it.
Prefect 3.8.8 inserts the flow runs of its schedules with such names (`estimated_run_time`), so on 2.1 its scheduler
fails every time, and the check never comes. Here these names are passed over again.

And it writes task runs together (worker/recorder.py).
"""

from __future__ import annotations

from collections.abc import MutableMapping
from runpy import run_module
from typing import Any

from sqlalchemy.ext.hybrid import hybrid_property

from worker.recorder import write_together


def pass_over_hybrids() -> None:
    """Let the bulk inserts of this process pass over what is no column of a flow run."""
    from prefect.server.database.orm_models import FlowRun

    for kind in FlowRun.__mro__:
        for name, found in vars(kind).items():
            if isinstance(found, hybrid_property) and found.bulk_dml_setter is None:
                found.bulk_dml_setter = _passing_over(name)


def _passing_over(name: str) -> Any:
    def setter(cls: type, mapping: MutableMapping[str, Any], value: object) -> None:
        mapping.pop(name, None)

    return setter


if __name__ == "__main__":
    pass_over_hybrids()
    write_together()
    run_module("prefect", run_name="__main__", alter_sys=True)
