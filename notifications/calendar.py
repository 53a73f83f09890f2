"""Deadlines as an iCalendar (RFC 5545): one for the mail that asks, all of a person's for their feed.

Why an event, and what stands in it and what does not: docs/adr/0012-calendars-and-chat.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from notifications.facts import Deadline, Reader
from notifications.language import Words, to_translate

if TYPE_CHECKING:
    from icalendar import Alarm, Calendar, Event

SHOWN_FOR = timedelta(minutes=30)
"""How long an entry is: it ends with the deadline, and one without a length is hard to see in a calendar."""
REMINDED_BEFORE = timedelta(days=1)
READ_AGAIN = timedelta(hours=1)
"""How often a calendar program should read a feed."""

_TO_DO = {
    "decide": to_translate("To decide: {gate} ({rollout})"),
    "answer": to_translate("To fill in: {gate} ({rollout})"),
    "confirm": to_translate("To read and confirm: {gate} ({rollout})"),
    "measure": to_translate("To measure: {gate} ({rollout})"),
}
_WHERE = to_translate("The time ends with this entry. The link and the code are in your mails from Etappe.")
_FEED = to_translate("Etappe: open deadlines")


def calendar(deadlines: Sequence[Deadline], reader: Reader, organizer: str, at: datetime) -> str:
    """Return the iCalendar of some deadlines, in the reader's language and in UTC, as of `at` (aware).

    `organizer` is the address that Etappe writes from. Lines end with CRLF.
    """
    return _text(_calendar(deadlines, reader, organizer, at))


def feed(deadlines: Sequence[Deadline], reader: Reader, organizer: str, at: datetime) -> str:
    """Return the same as something to subscribe to: with a name, and with how often to read it again."""
    from icalendar import vDuration

    whole = _calendar(deadlines, reader, organizer, at)
    name = Words(reader.language, reader.time_zone).text(_FEED)
    whole.add("name", name)  # RFC 7986, 5.1; the X- ones are what programs read that do not know it
    whole.add("x-wr-calname", name)
    whole.add("refresh-interval", READ_AGAIN, parameters={"VALUE": "DURATION"})
    whole.add("x-published-ttl", vDuration(READ_AGAIN))
    return _text(whole)


def _calendar(deadlines: Sequence[Deadline], reader: Reader, organizer: str, at: datetime) -> Calendar:
    from icalendar import Calendar  # not needed by most of what imports mails

    whole = Calendar()
    whole.add("version", "2.0")
    whole.add("prodid", "-//Etappe//Etappe//EN")
    whole.add("method", "PUBLISH")
    words = Words(reader.language, reader.time_zone)
    for deadline in deadlines:
        whole.add_component(_event(deadline, words, organizer, at))
    return whole


def _event(deadline: Deadline, words: Words, organizer: str, at: datetime) -> Event:
    from icalendar import Event

    summary = words.text(_TO_DO[deadline.purpose], gate=deadline.gate_title, rollout=deadline.rollout_title)
    event = Event()
    event.add("uid", deadline.request_id)  # random already; it should name no host (RFC 7986, 5.3)
    event.add("sequence", deadline.revision)
    event.add("dtstamp", at)
    event.add("organizer", f"mailto:{organizer}", parameters={"CN": "Etappe"})  # required here by RFC 5546, 3.2.1
    event.add("dtstart", deadline.due_at - SHOWN_FOR)
    event.add("dtend", deadline.due_at)
    event.add("summary", _printable(summary))
    event.add("description", words.text(_WHERE))
    event.add("transp", "TRANSPARENT")
    event.add_component(_alarm(summary))
    return event


def _alarm(summary: str) -> Alarm:
    from icalendar import Alarm

    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("trigger", -REMINDED_BEFORE)
    alarm.add("description", _printable(summary))
    return alarm


def _printable(text: str) -> str:
    """No control characters, which a text of RFC 5545 (3.3.11) cannot hold; the library escapes the rest."""
    return "".join(character if character.isprintable() else " " for character in text)


def _text(whole: Calendar) -> str:
    return str(whole.to_ical(), "utf-8")
