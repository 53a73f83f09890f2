"""The iCalendar that says when somebody is away: asked for by https, read apart, whatever it holds; days are kept."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import select

from domain.absence import Days
from domain.errors import InvalidInput, NotAllowed
from models.absences import Absence, Source
from models.database import Database
from models.people import Person
from operations.calendars_due import CalendarLook
from operations.installation import Installation
from operations.record_calendar import record_calendar
from operations.set_calendar import set_calendar
from operations.workspace import Actor
from settings import Settings
from tests.company import KEYS, PEOPLE, Company
from tests.https_server import NAME, HttpsServer, here, says
from tests.sample_plans import SIGN_OFF, one_gate
from worker.asking import Network
from worker.busy_days import NotRead, days_in, read_apart
from worker.calendar_reader import LARGEST, CalendarReader

ANNA, BEN, EMIL = "anna@example.com", "ben@example.com", "emil@example.com"
ADDRESS = f"https://{NAME}/private-7/basic.ics"
ALL = one_gate(f"{SIGN_OFF}, quorum: all, escalate: [{{after: 5 business days, to: chair}}]")
ZURICH = "Europe/Zurich"
MARCH = Days(date(2026, 3, 1), date(2026, 3, 31))


def calendar(*events: str) -> str:
    """A calendar with these events, each given as its lines between BEGIN and END."""
    return "\r\n".join(
        [
            "BEGIN:VCALENDAR",
            "VERSION:2.0",
            "PRODID:-//test//",
            *map(event, events, range(len(events))),
            "END:VCALENDAR",
            "",
        ]
    )


def event(lines: str, number: int = 0) -> str:
    """One event; one that has no identity of its own is given one."""
    uid = "" if "UID:" in lines else f"UID:{number}@example.com\r\n"
    return f"BEGIN:VEVENT\r\n{uid}DTSTAMP:20260101T000000Z\r\n" + "\r\n".join(lines.split()) + "\r\nEND:VEVENT"


def holiday(first: int, end: int) -> str:
    """A holiday in March 2026; the end is not included."""
    return f"DTSTART;VALUE=DATE:202603{first:02d} DTEND;VALUE=DATE:202603{end:02d} SUMMARY:Secret"


def away(*events: str, time_zone: str = ZURICH) -> list[tuple[int, int]]:
    """The days of March that a calendar with these events comes to."""
    found = days_in(calendar(*events).encode(), time_zone, MARCH)
    return [(days.first.day, days.last.day) for days in found]


# --- what is read ---


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([holiday(2, 5)], [(2, 4)]),
        (["DTSTART;VALUE=DATE:20260302"], [(2, 2)]),  # a day, when there is no end
        (["DTSTART;VALUE=DATE:20260302 DURATION:P2D"], [(2, 3)]),
        (["DTSTART:20260302T080000 DTEND:20260302T180000"], [(2, 2)]),  # floating: where its owner lives
        (["DTSTART;TZID=Nowhere/Never:20260302T080000 DTEND;TZID=Nowhere/Never:20260302T180000"], [(2, 2)]),
        (["DTSTART;TZID=America/New_York:20260302T020000 DTEND;TZID=America/New_York:20260302T120000"], [(2, 2)]),
        (["DTSTART:20260302T080000Z DTEND:20260302T160000Z"], [(2, 2)]),
        (["DTSTART:20260302T090000Z DTEND:20260302T170000Z"], []),  # begins at 10 in Zurich
        ([f"{holiday(2, 5)} TRANSP:TRANSPARENT", f"{holiday(9, 11)} STATUS:TENTATIVE"], []),
        ([f"{holiday(2, 5)} TRANSP:TRANSPARENT X-MICROSOFT-CDO-BUSYSTATUS:OOF"], [(2, 4)]),
        (["DTSTART;VALUE=DATE:20260106 RRULE:FREQ=WEEKLY;INTERVAL=2 EXDATE;VALUE=DATE:20260317"], [(3, 3), (31, 31)]),
        (
            [
                "UID:a DTSTART;VALUE=DATE:20260303 RRULE:FREQ=WEEKLY;COUNT=3",
                "UID:a RECURRENCE-ID;VALUE=DATE:20260310 DTSTART;VALUE=DATE:20260310 STATUS:CANCELLED",
                "UID:a RECURRENCE-ID;VALUE=DATE:20260317 DTSTART;VALUE=DATE:20260319",
            ],
            [(3, 3), (19, 19)],
        ),
        (["DTSTART;VALUE=DATE:99991230 DTEND;VALUE=DATE:99991231", holiday(2, 3)], [(2, 2)]),
        (["DTSTART;VALUE=DATE:19700101 DTEND;VALUE=DATE:20260304"], [(1, 3)]),
        (["DTSTART:tomorrow", holiday(2, 3)], [(2, 2)]),  # one broken event does not spoil the others
    ],
)
def test_what_the_events_of_a_calendar_come_to(events: list[str], expected: list[tuple[int, int]]) -> None:
    assert away(*events) == expected


def test_free_and_busy_times_are_read_as_well() -> None:
    text = """BEGIN:VCALENDAR
BEGIN:VFREEBUSY
FREEBUSY;FBTYPE=BUSY-UNAVAILABLE:20260302T070000Z/20260302T180000Z,20260303T070000Z/PT10H
FREEBUSY:20260304T070000Z/20260304T180000Z
FREEBUSY;FBTYPE=FREE:20260305T070000Z/20260305T180000Z
FREEBUSY;FBTYPE=BUSY-TENTATIVE:20260306T070000Z/20260306T180000Z
END:VFREEBUSY
END:VCALENDAR
"""
    assert days_in(text.encode(), ZURICH, MARCH) == [Days(date(2026, 3, 2), date(2026, 3, 4))]


def test_a_day_is_one_where_its_owner_lives() -> None:
    assert away("DTSTART:20260301T200000Z DTEND:20260302T050000Z", time_zone="Pacific/Auckland") == [(2, 2)]


@pytest.mark.parametrize(
    ("content", "because"),
    [
        (calendar("DTSTART:20260101T000000Z DTEND:20260101T000001Z RRULE:FREQ=SECONDLY"), "takes too long"),
        ("<html>Please sign in</html>", "cannot be read as a calendar"),
        ("", "cannot be read as a calendar"),
        (event(holiday(2, 5)), "cannot be read as a calendar"),
        ("BEGIN:VCALENDAR\r\n" * 5000, "cannot be read as a calendar"),
    ],
)
def test_what_is_hostile_or_no_calendar_is_a_sentence_and_takes_no_longer_than_it_may(
    content: str, because: str
) -> None:
    with pytest.raises(NotRead, match=because):
        read_apart(content.encode(), ZURICH, MARCH, seconds=2 if "SECONDLY" in content else 10)


# --- how it is asked for, and what is kept ---


@pytest.fixture
def company(db: Database) -> Company:
    """A company on a Monday in March."""
    return Company(db)


@contextmanager
def reader_of(company: Company, home: Path, network: Network) -> Iterator[CalendarReader]:
    """Give what reads the calendars of a company."""
    environment = {"ETAPPE_HOME": str(home), "ETAPPE_DATABASE_URL": company.db.url,
                   "ETAPPE_SECRET_KEYS": KEYS[0].decode()}  # fmt: skip
    installation = Installation(Settings.from_environment(environment))
    yield CalendarReader(installation, lambda: company.now, network)
    installation.db.close()


@pytest.fixture
def reader(company: Company, server: HttpsServer, tmp_path: Path) -> Iterator[CalendarReader]:
    """What reads calendars, for whom every name leads to the server."""
    with reader_of(company, tmp_path, here(server.port)) as reader:
        yield reader


def names(company: Company, person: str = ANNA, address: str = ADDRESS, by: str = "") -> None:
    set_calendar(company.db, person, address, Actor(by or person, "command"), company.now)


def absences(company: Company) -> list[tuple[int, str, Source, date, date]]:
    """Every absence there is: its id, of whom, how it is known, its first and its last day."""
    with company.db.read() as session:
        rows = session.scalars(select(Absence).order_by(Absence.starts_at, Absence.id)).all()
    return [(row.id, row.person, row.source, row.term.first_day(ZURICH), row.term.last_day(ZURICH)) for row in rows]


def problem(company: Company) -> str | None:
    with company.db.read() as session:
        return session.get_one(Person, ANNA).calendar_problem


def test_it_is_read_soon_and_daily_and_has_the_consequences_of_any_absence(
    company: Company, server: HttpsServer, reader: CalendarReader
) -> None:
    company.start(ALL)
    server.answers = [says(calendar(holiday(2, 7)))]
    names(company)
    assert [reader.read_all(), reader.read_all()] == [1, 0]
    assert (server.seen[0]["path"], server.seen[0]["accept"]) == ("/private-7/basic.ics", "text/calendar")
    assert [each[1:] for each in absences(company)] == [(ANNA, Source.CALENDAR, date(2026, 3, 2), date(2026, 3, 6))]
    assert company.gate()["waiting_for"][-1] == EMIL
    company.later(hours=23)
    assert reader.read_all() == 0
    company.later(hours=2)
    assert reader.read_all() == 1
    assert company.actions().count("request.away") == 1


def test_a_new_reading_replaces_the_old_one_and_nothing_that_people_said(
    company: Company, server: HttpsServer, reader: CalendarReader
) -> None:
    said = company.is_away(ANNA, days=3)
    names(company)
    server.answers = [says(calendar(holiday(2, 7), holiday(16, 18), holiday(23, 25)))]
    reader.read_all()
    before = {each[3]: each[0] for each in absences(company) if each[0] != said}
    company.later(days=1, hours=1)
    server.answers = [says(calendar(holiday(2, 11), holiday(24, 26), holiday(30, 31)))]
    reader.read_all()
    after = absences(company)
    assert [each[0] for each in after if each[2] is Source.SAID] == [said]
    assert [(each[0], each[3].day, each[4].day) for each in after if each[2] is Source.CALENDAR][:2] == [
        (before[date(2026, 3, 2)], 2, 10),
        (before[date(2026, 3, 23)], 24, 25),
    ]
    assert [(each[3].day, each[4].day) for each in after][-1] == (30, 30)
    assert len(after) == 4  # and what is no longer to come is forgotten

    server.answers = [says(calendar())]
    company.later(days=1, hours=1)
    reader.read_all()
    with company.db.read() as session:
        assert session.get_one(Absence, before[date(2026, 3, 2)]).ends_at == company.now


def test_who_is_back_though_their_calendar_says_otherwise_stays_back(
    company: Company, server: HttpsServer, reader: CalendarReader
) -> None:
    server.answers = [says(calendar(holiday(2, 14)))]
    names(company)
    reader.read_all()
    company.is_back(absences(company)[0][0], ANNA)
    company.later(days=1)
    reader.read_all()
    company.start(ALL)
    assert company.entries("request.away") == []


@pytest.mark.parametrize(
    ("answer", "because"),
    [
        (says("nothing here", 404), "the status 404"),
        (says("", 302, Location="https://other.example.com/"), "redirects are not followed"),
        (says("x" * (LARGEST + 1)), "larger than 2048 KB"),
        (says("no calendar"), "cannot be read as a calendar"),
    ],
)
def test_why_it_cannot_be_read_is_kept_and_what_it_said_before_holds(
    company: Company, server: HttpsServer, reader: CalendarReader, answer: object, because: str
) -> None:
    server.answers = [says(calendar(holiday(2, 7))), answer]  # type: ignore[list-item]  # each is an answer
    names(company)
    reader.read_all()
    company.later(days=1)
    reader.read_all()
    assert because in str(problem(company))
    assert len(absences(company)) == 1
    assert "private" not in str(problem(company))
    company.later(hours=1)  # and it is tried again sooner
    server.answers = [says(calendar(holiday(2, 7)))]
    assert reader.read_all() == 1
    assert problem(company) is None


def test_an_address_within_the_own_network_is_not_asked(company: Company, server: HttpsServer, tmp_path: Path) -> None:
    names(company)
    with reader_of(company, tmp_path, here(server.port, ["192.168.1.7"])) as reader:
        reader.read_all()
    assert "not on the open internet" in str(problem(company))
    assert server.seen == []


def test_without_a_calendar_any_more_what_it_said_is_over(
    company: Company, server: HttpsServer, reader: CalendarReader
) -> None:
    server.answers = [says(calendar(holiday(2, 7), holiday(16, 18)))]
    names(company)
    reader.read_all()
    company.later(hours=1)
    names(company, address="")
    company.start(ALL)
    assert (len(absences(company)), reader.read_all(), company.entries("request.away")) == (1, 0, [])


def test_a_reading_that_was_overtaken_by_another_address_says_nothing(company: Company) -> None:
    names(company)
    look = CalendarLook(ANNA, ADDRESS, ZURICH, MARCH)
    names(company, address=ADDRESS.replace("7", "8"))
    record_calendar(company.db, KEYS, look, [Days(date(2026, 3, 2), date(2026, 3, 4))], company.now)
    assert absences(company) == []


def test_it_stands_in_the_directory_file_or_is_named_by_those_who_may(company: Company) -> None:
    with pytest.raises(NotAllowed):
        names(company, by=BEN)
    with pytest.raises(InvalidInput, match="begins with https"):
        names(company, address="webcal://example.com/a.ics")
    names(company)
    company.import_people(PEOPLE)  # names none, and takes none away
    with company.db.read() as session:
        assert session.get_one(Person, ANNA).calendar_url == ADDRESS
    company.import_people(
        PEOPLE.replace("Anna Keller,", "Anna Keller, calendar: 'https://calendar.example.com/a.ics',")
    )
    with company.db.read() as session:
        assert session.get_one(Person, ANNA).calendar_url == "https://calendar.example.com/a.ics"
