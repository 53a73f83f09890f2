"""Prefect's own command, with three changes: `python -m worker.prefect_program server start` is `prefect server start`.

SQLAlchemy 2.1 refuses a bulk insert that names a hybrid property without a setter for it, and 2.0 passed over it.
Prefect 3.8.8 inserts the flow runs of its schedules with such names (`estimated_run_time`), so on 2.1 its scheduler
fails every time, and the check never comes. Here these names are passed over again.

It writes task runs together (worker/recorder.py).

And SIGTERM ends it as Ctrl-C does. Prefect's services take no notice of SIGTERM by themselves, and the first process of
a container is not ended by a signal that it takes no notice of.
"""

from __future__ import annotations

import signal
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


def end_as_by_ctrl_c() -> None:
    """Take SIGTERM for SIGINT, as long as nothing else is said to take it."""
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))


if __name__ == "__main__":
    end_as_by_ctrl_c()
    pass_over_hybrids()
    write_together()
    run_module("prefect", run_name="__main__", alter_sys=True)
