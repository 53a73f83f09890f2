"""`etappe people away` and what belongs to it: done, shown where people look, or one sentence."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from models.database import Database
from operations.calendars_due import calendars_due
from operations.record_calendar import record_calendar
from tests.cli.conftest import REQUESTER, Terminal
from tests.cli.test_lending import ANNA, BEN, DAYS, LATER, RUTH, TODAY

SHOWN = f"{ANNA} (away until {LATER.isoformat()})"


@pytest.fixture
def rollout_id(company: Terminal) -> str:
    """A rollout in which Anna is asked."""
    said = company("rollout", "start", "office-policy", "--requester", REQUESTER, "--set", "policy=Dogs welcome",
                   "--json")  # fmt: skip
    return str(said.facts()["id"])


def test_somebody_is_away_and_it_is_listed_shown_and_ended(company: Terminal, rollout_id: str) -> None:
    said = company("people", "away", ANNA, *DAYS, "--by", BEN)  # her assistant
    assert (said.code, said.err) == (0, "")
    assert said.out.endswith(f"To end it early: etappe people back {ANNA} 1\n")
    assert f"1   away   {ANNA}  {TODAY}  {LATER}  nobody    said" in company("people", "absences").out
    [facts] = company("people", "absences", ANNA, "--json").facts()["absences"]
    assert facts.items() >= {
        "id": 1, "state": "away", "person": ANNA, "delegate": None, "first_day": TODAY.isoformat(),
        "last_day": LATER.isoformat(), "source": "said", "entered_by": BEN}.items()  # fmt: skip
    assert SHOWN in company("rollout", "show", rollout_id).out
    [gate, *_] = company("rollout", "show", rollout_id, "--json").facts()["stages"][0]["gates"]
    assert gate["away"] == [{"person": ANNA, "until": LATER.isoformat()}]

    assert company("people", "back", ANNA).out == f"{ANNA} is back.\n"
    assert company("people", "absences").out == "Nobody is away, as far as it is known.\n"
    assert SHOWN not in company("rollout", "show", rollout_id).out


def test_with_a_delegate_they_are_asked_and_by_its_number_it_ends_with_the_absence(
    company: Terminal, rollout_id: str
) -> None:
    company("people", "away", ANNA, *DAYS, "--delegate", RUTH)
    assert f"{RUTH} for {ANNA}" in company("rollout", "show", rollout_id).out
    assert company("people", "absences", "--json").facts()["absences"][0]["delegate"] == RUTH
    assert company("people", "back", ANNA, "1").out == "The absence 1 is over.\n"
    assert company("people", "delegations", "--json").facts()[0]["state"] == "ended"


@pytest.mark.parametrize(
    ("arguments", "because"),
    [
        (("away", "x@example.com", *DAYS), "x@example.com is not in the directory."),
        (("away", ANNA, *DAYS, "--by", RUTH), f"{RUTH} may not say when {ANNA} is away"),
        (("away", ANNA, "--from", "2020-01-01", "--until", "2020-01-02"), "These days are over already."),
        (("away", ANNA, *DAYS, "--delegate", "me"), "“me”"),
        (("back", ANNA), f"{ANNA} is not away now."),
        (("back", ANNA, "7"), "There is no absence with this number"),
        (("absences", "x@example.com"), "x@example.com is not in the directory."),
        (("calendar", ANNA, "http://example.com/a.ics"), "A calendar's address begins with https://"),
        (("calendar", ANNA, "https://example.com/a.ics", "--by", RUTH), "may not say when"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(company: Terminal, arguments: tuple[str, ...], because: str) -> None:
    said = company("people", *arguments)
    assert (said.code, said.out, said.err.count("\n")) == (1, "", 1)
    assert because in said.err


def test_an_absence_of_somebody_else_is_not_ended_by_a_wrong_name(company: Terminal) -> None:
    company("people", "away", ANNA, *DAYS)
    assert company("people", "back", RUTH, "1").code == 1
    assert len(company("people", "absences", "--json").facts()["absences"]) == 1


@pytest.mark.parametrize("arguments", [(), ("https://example.com/a.ics", "--none")])
def test_a_calendar_is_named_or_taken_away(company: Terminal, arguments: tuple[str, ...]) -> None:
    assert company("people", "calendar", ANNA, *arguments).code == 2


def test_a_calendar_is_read_by_the_relay_and_its_address_is_not_shown(company: Terminal) -> None:
    assert company("people", "calendar", ANNA, "https://calendar.example.com/private-7.ics").code == 0
    listed = company("people", "absences", ANNA, "--json")
    [calendar] = listed.facts()["calendars"]
    assert calendar == {"person": ANNA, "host": "calendar.example.com", "read_at": None, "problem": None}
    assert "private-7" not in listed.out
    assert company("people", "calendar", ANNA, "--none").code == 0
    assert company("people", "absences", ANNA, "--json").facts()["calendars"] == []


def test_what_was_entered_for_later_is_to_come(company: Terminal) -> None:
    tomorrow = (datetime.now(ZoneInfo("Europe/Zurich")) + timedelta(days=2)).date().isoformat()
    company("people", "away", ANNA, "--from", tomorrow, "--until", tomorrow)
    assert company("people", "absences", "--json").facts()["absences"][0]["state"] == "to-come"


def test_why_a_calendar_cannot_be_read_is_listed_and_the_doctor_warns(company: Terminal, tmp_path: Path) -> None:
    company("people", "calendar", ANNA, "https://calendar.example.com/private-7.ics")
    db = Database(f"sqlite:///{tmp_path / 'home' / 'etappe.db'}")
    [look] = calendars_due(db, datetime.now(UTC))
    record_calendar(db, (b"key",), look, "it answered with the status 404 instead of 200", datetime.now(UTC))
    db.close()
    why = f"The calendar of {ANNA} could not be read"
    assert why in company("people", "absences").out
    assert "the status 404" in company("doctor").out
