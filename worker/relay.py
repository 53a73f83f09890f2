"""The relay: hears of commits, delivers mail, and keeps Prefect's page and flow runs in step with the database.

Mail and Prefect have a thread each, so that one being down never holds up the other. Both are level-triggered: they
look at what is to be done, so nothing is lost when the relay, the mail server or Prefect was away.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import timedelta

from models.changes import Changes
from notifications.senders import SmtpSender
from operations.attach_flow_run import note_painted
from operations.chart import chart
from operations.installation import Installation
from operations.unpainted import unpainted
from worker.post import Post, now

log = logging.getLogger("etappe.relay")

LOOK_AGAIN = timedelta(seconds=2)
"""How long the mail thread waits without a commit before it looks for what has come due."""
REPAIR_EVERY = timedelta(seconds=5)
PAUSES_SECONDS = (1.0, 2.0, 5.0, 10.0)


def run(installation: Installation, stop: threading.Event, *, with_prefect: bool = True) -> None:
    """Relay until `stop` is set."""
    loops: list[Callable[[Installation, threading.Event], None]] = [deliver_mail]
    if with_prefect:
        loops.append(follow_in_prefect)
    threads = [threading.Thread(target=loop, args=(installation, stop), name=loop.__name__) for loop in loops]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def deliver_mail(installation: Installation, stop: threading.Event) -> None:
    """Deliver messages as they are written, until `stop` is set."""
    sender = SmtpSender(installation.settings.smtp_url)
    post = Post(installation, sender)
    _again_and_again(installation, stop, LOOK_AGAIN, post.deliver_all)
    sender.close()


def follow_in_prefect(installation: Installation, stop: threading.Event) -> None:
    """Paint, wake, launch and repair flow runs, until `stop` is set."""
    follower = _Follower(installation)
    _again_and_again(installation, stop, timedelta(seconds=1), follower.follow)


def _again_and_again(
    installation: Installation, stop: threading.Event, at_least_every: timedelta, do: Callable[[], object]
) -> None:
    failures = 0
    with Changes(installation.db) as changes:
        while not stop.is_set():
            try:
                changes.wait(min(at_least_every.total_seconds(), 0.5) if failures == 0 else 0)
                do()
                failures = 0
            except Exception as error:
                pause = PAUSES_SECONDS[min(failures, len(PAUSES_SECONDS) - 1)]
                failures += 1
                changes.close()
                log.log(*_said(failures), threading.current_thread().name, pause, error, exc_info=failures == 3)
                stop.wait(pause)


def _said(failures: int) -> tuple[int, str]:
    level = logging.WARNING if failures == 1 else logging.DEBUG if failures < 3 else logging.INFO
    return level, "%s: trying again in %s s: %s"


class _Follower:
    """One round of keeping Prefect in step."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._repaired_at = now() - REPAIR_EVERY

    def follow(self) -> None:
        from prefect.client.orchestration import get_client

        from worker import flow_runs

        with get_client(sync_client=True) as client:
            flow_runs.launch(client, self._installation)
            for rollout_id in unpainted(self._installation.db):
                self._paint(client, rollout_id)
            flow_runs.wake(client, self._installation, now())
            if now() - self._repaired_at >= REPAIR_EVERY:
                self._repaired_at = now()
                flow_runs.repair_recent(client, self._installation, now())

    def _paint(self, client: object, rollout_id: str) -> None:
        raise NotImplementedError
