"""The relay: hears of commits, delivers mail, and keeps Prefect's page and flow runs in step with the database.

Mail, chat, Prefect, the queues of exclusive stages, the gates that settle themselves, people's calendars and the watch
over the scheduled check have a thread each, so that one being down never holds up the others. All are level-triggered:
they look at what is to be done, so nothing is lost when the relay, the mail server or Prefect was away.

Of several relays on one database, all deliver what goes to people, each what it has taken out of the outbox. Everything
else is done by one of them at a time; another one takes over when that one fails or dies.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from datetime import datetime
from functools import partial

from sqlalchemy import Select

from models.changes import Changes
from models.database import Database
from models.outbox import next_chat_message_due
from models.turns import Turn
from notifications.chat import AppriseSender
from notifications.senders import SmtpPool, SmtpSender
from operations.installation import Installation
from operations.looks import next_look
from operations.report_late_check import report_late_check
from operations.take_turns import take_turns
from worker.asker import Asker
from worker.calendar_reader import CalendarReader
from worker.chat_post import ChatPost
from worker.hurry import Hurry
from worker.post import Post, now

log = logging.getLogger("etappe.relay")

LOOK_AGAIN_SECONDS = 0.5
"""How long to wait at least before looking again when nothing was committed."""
REST_SECONDS = 5.0
"""How long to wait at most for a commit, or for the next thing to come due by itself."""
PAUSES_SECONDS = (1.0, 2.0, 5.0, 10.0)
"""How long to wait after something failed for the first, second, ... time in a row."""
MAILS_AT_ONCE = 4
"""How many connections to the mail server there are when there is much to send: most of a mail's time is its answer."""
WATCH_SECONDS = 60.0
"""How often to look whether the scheduled check still comes."""


def run(installation: Installation, stop: threading.Event, *, with_prefect: bool = True) -> None:
    """Relay until `stop` is set; mail goes on while Prefect is down, and the other way round.

    Raises UnusableAddress before anything begins; later, what has ended one of its threads, once the others have ended
    as well: whoever runs it starts it again, and a relay that does half of its work would look as if it were well.
    """
    SmtpSender(installation.settings.smtp_url)
    loops = [
        deliver_mail,
        deliver_chat,
        look_after_gates,
        let_the_next_in,
        read_calendars,
        watch_the_check,
        *([follow_in_prefect] if with_prefect else []),
    ]
    hurry = Hurry()
    with ThreadPoolExecutor(len(loops), thread_name_prefix="relay") as pool:
        running = [pool.submit(loop, installation, stop, hurry) for loop in loops]
        wait(running, return_when=FIRST_EXCEPTION)
        stop.set()
    for one in running:
        one.result()


def deliver_mail(installation: Installation, stop: threading.Event, hurry: Hurry) -> None:
    """Deliver messages as they are written, until `stop` is set."""
    sender = SmtpPool(installation.settings.smtp_url)
    db = Database(installation.db.url, connections=MAILS_AT_ONCE + 1)
    post = Post(installation, sender, stopped=stop.is_set, at_once=MAILS_AT_ONCE, hurry=hurry, db=db)
    try:
        _again_and_again(installation, stop, post.deliver_all)
    finally:
        post.close()
        sender.close()
        db.close()


def deliver_chat(installation: Installation, stop: threading.Event, hurry: Hurry | None = None) -> None:
    """Deliver to chat services what is written for them, until `stop` is set."""
    post = ChatPost(installation, AppriseSender(), stopped=stop.is_set)

    def deliver() -> datetime | None:
        post.deliver_all()
        return _moment(installation, next_chat_message_due(now()))

    _again_and_again(installation, stop, deliver, stands_back=hurry)


def let_the_next_in(installation: Installation, stop: threading.Event, hurry: Hurry | None = None) -> None:
    """Let those open a stage whose turn at a resource has come, as soon as it has, until `stop` is set."""

    def take_turns_now() -> None:
        take_turns(installation.db, installation.keys, now())

    _again_and_again(installation, stop, take_turns_now, alone="let_the_next_in", stands_back=hurry)


def look_after_gates(installation: Installation, stop: threading.Event, hurry: Hurry | None = None) -> None:
    """Open windows in time, and ask the systems and databases that plans name, until `stop` is set."""
    asker = Asker(installation)

    def look() -> datetime | None:
        asker.look()
        return next_look(installation.db)

    _again_and_again(installation, stop, look, alone="look_after_gates", stands_back=hurry)


def read_calendars(installation: Installation, stop: threading.Event, hurry: Hurry | None = None) -> None:
    """Read the calendars that say when people are away, until `stop` is set."""
    reader = CalendarReader(installation)

    def read() -> None:
        reader.read_all()

    _again_and_again(installation, stop, read, alone="read_calendars", stands_back=hurry)


def watch_the_check(installation: Installation, stop: threading.Event, hurry: Hurry | None = None) -> None:
    """Say when the scheduled check stays away, until `stop` is set: it cannot say so itself."""
    since = now()
    with Turn(installation.db, "watch_the_check") as turn:
        while not stop.wait(WATCH_SECONDS):
            try:
                if turn.is_mine():
                    report_late_check(installation.db, now(), since)
            except Exception as error:  # noqa: BLE001 - whatever it is, the relay looks again in a minute
                turn.give_back()
                log.warning("the scheduled check could not be watched: %s", error)


def follow_in_prefect(installation: Installation, stop: threading.Event, hurry: Hurry | None = None) -> None:
    """Launch, paint, wake and repair flow runs, until `stop` is set."""
    from worker.follower import Follower  # imports Prefect, which takes seconds

    follower = Follower(installation, give_way=partial(hurry.wait_until_over, stop) if hurry else None)
    try:
        _again_and_again(installation, stop, follower.follow, alone="follow_in_prefect", stands_back=hurry)
    finally:
        follower.close()


def _again_and_again(
    installation: Installation,
    stop: threading.Event,
    do: Callable[[], datetime | None],
    alone: str = "",
    stands_back: Hurry | None = None,
) -> None:
    """Do it after every commit, and when something comes due by itself: `do` returns when that is, None for never.

    With a name in `alone`, one of all relays on this database does it at a time; the others wait for the turn. One that
    fails lets another one try: it may be the only one that does not reach Prefect. What stands back waits until
    nobody is being asked (worker/hurry.py).
    """
    failures, rest = 0, 0.0
    with Changes(installation.db, later=stands_back is not None) as changes, Turn(installation.db, alone) as turn:
        while not stop.is_set():
            try:
                if alone and not turn.is_mine():
                    rest = 0.0
                    stop.wait(LOOK_AGAIN_SECONDS)
                    continue
                _wait(changes, stop, rest)
                if stands_back:
                    stands_back.wait_until_over(stop)
                rest = _seconds_until(do())
                failures = 0
            except Exception as error:  # noqa: BLE001 - whatever it is, the relay goes on; it is told below
                pause = PAUSES_SECONDS[min(failures, len(PAUSES_SECONDS) - 1)]
                failures += 1
                turn.give_back()
                changes.close()
                _report(do, error, failures, pause)
                stop.wait(pause)


def _wait(changes: Changes, stop: threading.Event, seconds: float) -> None:
    """Wait for a commit, at most so many seconds, and no longer than until it is time to stop."""
    until = time.monotonic() + seconds
    while not changes.wait(max(0.0, min(until - time.monotonic(), LOOK_AGAIN_SECONDS))):
        if stop.is_set() or time.monotonic() >= until:
            return


def _seconds_until(due: datetime | None) -> float:
    left = REST_SECONDS if due is None else (due - now()).total_seconds()
    return min(max(left, LOOK_AGAIN_SECONDS), REST_SECONDS)


def _moment(installation: Installation, query: Select[datetime | None]) -> datetime | None:
    with installation.db.read() as session:
        return session.scalar(query)


def _report(do: Callable[[], object], error: Exception, failures: int, pause: float) -> None:
    """Say it once in words, once with everything, and then be quiet until it works again."""
    if failures == 1:
        log.warning("%s failed, trying again in %g s: %s", do.__qualname__, pause, error)
    elif failures == len(PAUSES_SECONDS):
        log.warning("%s still fails, trying again every %g s", do.__qualname__, PAUSES_SECONDS[-1], exc_info=error)
