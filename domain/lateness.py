"""How long something may wait before it counts as gone astray: the scheduled check, a mail, Prefect."""

from __future__ import annotations

from datetime import datetime, timedelta

CHECK_EVERY = timedelta(minutes=15)
"""How often the scheduled check runs (flows/deploy.py)."""
CHECK_MAY_REST = 2.5 * CHECK_EVERY
"""A run that takes its time, or one that was missed, is no reason to call anybody; two that were missed are."""
MAIL_MAY_WAIT = timedelta(minutes=5)
PREFECT_MAY_TAKE = timedelta(minutes=30)
"""Two checks repair whatever went astray there, if Prefect is up."""


def is_late(since: datetime | None, may_take: timedelta, now: datetime) -> bool:
    """Whether something that has waited since then (None: it does not wait) takes too long. All moments are aware."""
    return since is not None and now - since > may_take
