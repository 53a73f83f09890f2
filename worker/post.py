"""Delivering mail: takes messages out of the outbox, composes them as things are now, sends them, settles them."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import TypeVar
from urllib.parse import urlsplit

from sqlalchemy import Select
from sqlalchemy.orm import Session

from models.database import Database
from models.outbox import Message, MessageState, is_anybody_to_be_asked, next_message_due
from notifications import dedup, retries
from notifications.envelope import to_message
from notifications.messages import Mail
from notifications.rendering import render
from notifications.senders import PermanentFailure, Sender, TemporaryFailure
from operations.claim_messages import LEASE, claim_asking, claim_messages
from operations.compose_digest import bundles, in_one_mail
from operations.compose_message import Composer, workspace_for
from operations.installation import Installation
from operations.reading_ahead import read_ahead
from operations.settle_message import bury, settle_messages, try_again_later
from operations.workspace import Workspace
from worker.hurry import AT_MOST_SECONDS, Hurry

log = logging.getLogger("etappe.post")

_T = TypeVar("_T")

TOGETHER = 10
"""How many mails are written at a time; between them it is looked whether somebody is to be asked."""
SETTLE_AFTER_SECONDS = 0.05
"""How long what was sent waits to be settled together with what is still being sent; a slow answer holds up nothing."""


def now() -> datetime:
    """The moment, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class _Parcel:
    """One mail, and the messages it delivers: one, or several that are said to one person together."""

    messages: Sequence[Message]
    mail: Mail | None
    key: str

    @property
    def ids(self) -> list[int]:
        return [message.id for message in self.messages]


_Outcome = tuple[_Parcel, MessageState | None]


class Post:
    """Delivers the outbox of one installation through one sender."""

    def __init__(
        self,
        installation: Installation,
        sender: Sender,
        clock: Callable[[], datetime] = now,
        stopped: Callable[[], bool] = lambda: False,
        at_once: int = 1,
        hurry: Hurry | None = None,
        db: Database | None = None,
    ) -> None:
        """`at_once` is how many mails are sent at the same time, when there are many; the sender must bear it.

        `hurry` hears of it when people are asked; without one, nothing waits for that. With a `db`, which is the same
        database, connections are shared with nobody: where others have used one, less of it is prepared.
        """
        self._db = db or installation.db
        self._composer = Composer(installation.keys, installation.settings.base_url)
        self._mail_from = installation.settings.mail_from
        self._domain = urlsplit(installation.settings.base_url).hostname or "localhost"
        self._sender = sender
        self._now = clock
        self._stopped, self._hurry = stopped, hurry
        self._helpers = ThreadPoolExecutor(at_once, thread_name_prefix="post") if at_once > 1 else None

    def close(self) -> None:
        """Wait until what is being sent is sent, and send nothing more."""
        if self._helpers is not None:
            self._helpers.shutdown()

    def deliver_all(self) -> datetime | None:
        """Deliver until nothing is due, or until stopped; return when the next mail is (UTC), None for never.

        Looks before it takes, so that idling writes nothing.
        """
        while not self._stopped():
            if self._deliver_asking():
                continue
            due_at = self._look(next_message_due)
            if due_at is None or due_at > self._now():
                return due_at
            self._stand_back()
            self._deliver_the_rest()
        return None

    def deliver(self) -> int:
        """Deliver what is due now, or some of it; return how many messages were taken."""
        return self._deliver_asking() or self._deliver_the_rest()

    def _deliver_asking(self) -> int:
        """Deliver what rollouts wait for. It is looked for again and again: what is merely to be told can wait."""
        if self._db.is_sqlite and not self._look(is_anybody_to_be_asked):  # there, whoever takes holds up all others
            return 0
        until = self._now() + LEASE / 2
        messages = claim_asking(self._db, self._now())
        with self._hurry.asking() if self._hurry and messages else nullcontext():
            for some in _in_tens(bundles(messages)):
                self._deliver_some(some, until)
        return len(messages)

    def _stand_back(self) -> None:
        """While people are asked one after the other, let what is merely to be told wait, for a while.

        The more are asked, the less often it is looked for the next: several are then asked together.
        """
        at_last = time.monotonic() + AT_MOST_SECONDS
        while self._hurry and self._hurry.lasts() and time.monotonic() < at_last and not self._stopped():
            time.sleep(self._hurry.lull / 2)
            self._deliver_asking()

    def _deliver_the_rest(self) -> int:
        """A slow mail server may make it last as long as the lease; what is left then comes with the next claim."""
        until = self._now() + LEASE / 2
        messages = claim_messages(self._db, self._now())
        for some in _in_tens(bundles(messages)):
            if self._now() > until:
                break
            self._deliver_some(some, until)
            self._deliver_asking()
        return len(messages)

    def _look(self, query: Callable[[datetime], Select[_T]]) -> _T | None:
        with self._db.read() as session:
            return session.scalar(query(self._now()))

    def _deliver_some(self, mails: Sequence[Sequence[Message]], until: datetime) -> None:
        """Write a few mails, have each sent as soon as it is written, and settle together what was sent."""
        if self._helpers is None or len(mails) == 1:
            for parcel in list(self._parcels(mails)):  # nothing of the database is held while a mail is sent
                self._settle([self._deliver(parcel, until)])
            return
        under_way = {self._helpers.submit(self._deliver, parcel, until) for parcel in self._parcels(mails)}
        while under_way:
            done, under_way = wait(under_way, SETTLE_AFTER_SECONDS)
            self._settle([future.result() for future in done])

    def _settle(self, outcomes: Iterable[_Outcome]) -> None:
        """One transaction for all that came to the same; what failed is dealt with already."""
        ids: dict[MessageState, list[int]] = {}
        for parcel, state in outcomes:
            if state is not None:
                ids.setdefault(state, []).extend(parcel.ids)
        for state, of_state in ids.items():
            settle_messages(self._db, of_state, state, self._now())

    def _parcels(self, mails: Sequence[Sequence[Message]]) -> Iterator[_Parcel]:
        """Write a few mails together: what they look at is read at once."""
        with self._db.read() as session:
            now = self._now()
            try:
                read_ahead(session, [message for messages in mails for message in messages], now)
            except Exception:  # a message that cannot be written; it is found out which when each reads by itself
                log.exception("what several mails look at could not be read at once")
                session.rollback()
                session.info.clear()
            known: dict[str | None, Workspace] = {}
            for messages in mails:
                yield from self._parcels_of(session, messages, known, now)

    def _parcels_of(
        self, session: Session, messages: Sequence[Message], known: dict[str | None, Workspace], now: datetime
    ) -> Iterator[_Parcel]:
        """One mail of these messages, if any are still true; what is no longer true is a parcel without a mail."""
        written: list[tuple[Message, Mail]] = []
        for message in messages:
            try:
                mail = self._compose(session, message, known, now)
            except Exception as error:
                log.exception("a message could not be written: %s", message.dedup_key)
                self._not_now([message], repr(error))
            else:
                if mail is None:
                    yield _Parcel([message], None, "")
                else:
                    written.append((message, mail))
        if written:
            mail = in_one_mail([mail for _, mail in written], now, self._composer.page)
            keys = [message.dedup_key for message, _ in written]
            yield _Parcel([message for message, _ in written], mail, dedup.digest(keys) if len(keys) > 1 else keys[0])

    def _compose(
        self, session: Session, message: Message, known: dict[str | None, Workspace], now: datetime
    ) -> Mail | None:
        if message.rollout_id is None:
            return self._composer.compose_for_person(session, message)
        if message.rollout_id not in known:
            known[message.rollout_id] = workspace_for(session, message, now)
        return self._composer.compose(known[message.rollout_id], message)

    def _deliver(self, parcel: _Parcel, until: datetime) -> _Outcome:
        """Send one mail, and return what is to be said of its messages; None when that is said already, or too late."""
        if parcel.mail is None:
            return parcel, MessageState.DROPPED
        if self._now() > until:
            return parcel, None
        try:
            self._send(parcel.mail, parcel.key)
        except TemporaryFailure as failure:
            self._not_now(parcel.messages, str(failure))
        except PermanentFailure as failure:
            log.warning("refused for good by the mail server: %s", failure)
            bury(self._db, parcel.ids, str(failure), self._now())
        except Exception as error:
            log.exception("a mail could not be made: %s", parcel.key)
            self._not_now(parcel.messages, repr(error))
        else:
            return parcel, MessageState.SENT
        return parcel, None

    def _send(self, mail: Mail, key: str) -> None:
        envelope = to_message(mail, render(mail), key, self._mail_from, self._domain)
        self._sender.send(envelope, mail.reader.email)

    def _not_now(self, messages: Sequence[Message], error: str) -> None:
        log.info("not delivered for now: %s", error)
        hopeless = [m.id for m in messages if retries.is_hopeless(m.wanted_at or m.created_at, self._now())]
        bury(self._db, hopeless, error, self._now())
        try_again_later(self._db, [m.id for m in messages if m.id not in hopeless], error, self._now())


def _in_tens(mails: Iterable[list[Message]]) -> Iterator[list[list[Message]]]:
    """A few at a time, so that each says how things are shortly before it goes out."""
    left = iter(mails)
    while some := list(islice(left, TOGETHER)):
        yield some
