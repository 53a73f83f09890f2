"""A deadline as calendar programs are told it: one event per request, in UTC, and nothing but what was meant."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, cast

import pytest
from icalendar import Calendar
from icalendar.cal import Component

from notifications.calendar import calendar, feed
from notifications.envelope import to_message
from notifications.facts import Deadline
from notifications.messages import Asking
from notifications.rendering import render
from tests import mails

AT = datetime(2026, 11, 24, 13, 5, tzinfo=UTC)
DUE = datetime(2026, 12, 1, 16, 0, tzinfo=UTC)
DEADLINE = Deadline(
    "4d7f5c0f6c0a4a2b9a1be5b8f8f0c7aa", 12, DUE, "decide", "Ja der Geschäftsleitung", "Social Media 2027"
)
ANNA = mails.READERS["de"]
FROM = "etappe@example.com"


def events(text: str) -> list[Component]:
    return list(Calendar.from_ical(text).walk("VEVENT"))


def event(**changed: Any) -> Component:
    [only] = events(calendar([replace(DEADLINE, **changed)], ANNA, FROM, AT))
    return only


def test_it_ends_with_the_deadline_and_reminds_a_day_before() -> None:
    one = event()
    assert (one["uid"], one["sequence"]) == (DEADLINE.request_id, 12)
    assert (one.decoded("dtstart"), one.decoded("dtend")) == (DUE - timedelta(minutes=30), DUE)
    assert one.decoded("dtstamp") == AT
    [alarm] = one.walk("VALARM")
    assert alarm.decoded("trigger") == timedelta(days=-1)
    assert one["transp"] == "TRANSPARENT"


@pytest.mark.parametrize(
    ("language", "purpose", "summary"),
    [
        ("de", "decide", "Zu entscheiden: Ja der Geschäftsleitung (Social Media 2027)"),
        ("en", "measure", "To measure: Ja der Geschäftsleitung (Social Media 2027)"),
    ],
)
def test_it_speaks_the_language_of_its_reader(language: str, purpose: str, summary: str) -> None:
    [one] = events(calendar([replace(DEADLINE, purpose=purpose)], mails.READERS[language], FROM, AT))
    assert one["summary"] == summary


HOSTILE = [
    "a\r\nATTENDEE:mailto:eve@example.com",
    "x\nEND:VEVENT\nBEGIN:VEVENT",
    r"a\nb;c,d:e\\",
    '"; X=1',
    "nul\x00 and \x1b escape",
    "Ö" * 150,
]


@pytest.mark.parametrize("title", HOSTILE)
def test_no_title_makes_a_line_of_its_own(title: str) -> None:
    text = calendar([replace(DEADLINE, gate_title=title, rollout_title=title)], ANNA, FROM, AT)
    [one] = events(text)
    assert sorted(one) == sorted(event())
    kept = "".join(character if character.isprintable() else " " for character in title)
    assert one["summary"] == f"Zu entscheiden: {kept} ({kept})"
    assert not [character for line in text.split("\r\n") for character in line if not character.isprintable()]
    assert max(len(line.encode()) for line in text.split("\r\n")) <= 75


def test_a_feed_has_a_name_and_says_when_to_read_it_again() -> None:
    other = replace(DEADLINE, request_id="other")
    whole = Calendar.from_ical(feed([DEADLINE, other], ANNA, FROM, AT))
    assert [one["uid"] for one in whole.walk("VEVENT")] == [DEADLINE.request_id, "other"]
    assert whole["x-wr-calname"] == whole["name"] == "Etappe: offene Fristen"
    assert "REFRESH-INTERVAL;VALUE=DURATION:PT1H" in whole.to_ical().decode()


def mail(**changed: Any) -> Asking:
    asking = cast(Asking, mails.every_mail("de", mails.question("de"))["request"])
    return replace(asking, **{"deadline": DEADLINE, **changed})


def parsed(asking: Asking) -> EmailMessage:
    content = to_message(asking, render(asking), "k", f"Etappe <{FROM}>", "example.com", AT).as_bytes()
    return message_from_bytes(content, policy=policy.default)


def test_the_mail_carries_it_beside_its_two_texts() -> None:
    message = parsed(mail())
    assert message.get_content_type() == "multipart/mixed"
    assert message["Content-Language"] == "de"
    texts, attached = cast(list[EmailMessage], list(message.iter_parts()))
    assert [part.get_content_type() for part in texts.iter_parts()] == ["text/plain", "text/html"]
    assert (attached.get_content_type(), attached.get_filename()) == ("text/calendar", "deadline.ics")
    assert attached.get_param("method") == "PUBLISH"
    assert attached.get_content() == calendar([DEADLINE], ANNA, FROM, AT)


def test_a_calendar_knows_neither_link_nor_code() -> None:
    [_, attached] = cast(list[EmailMessage], list(parsed(mail()).iter_parts()))
    text = attached.get_content().replace("\r\n ", "")
    assert mails.LINK.rpartition("/")[2] not in text
    assert "://" not in text
    assert mails.CODE not in text


def test_a_mail_without_a_deadline_carries_nothing() -> None:
    assert parsed(mail(deadline=None)).get_content_type() == "multipart/alternative"
