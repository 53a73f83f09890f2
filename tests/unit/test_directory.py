"""Reading a directory: each mistake is named with its line, its column and what to write instead."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InvalidDirectory, Problem
from plans.directory import read_directory

GOOD = """\
people:
  - {email: Anna@Example.com, name: Anna Keller, language: de, holidays: CH-ZH, assistant: ben@example.com}
  - {email: ben@example.com, name: Ben Frei, time_zone: Europe/London}
roles:
  executive-board: [anna@example.com]
  staff: [anna@example.com, BEN@example.com]
"""


def problems(text: str | bytes) -> list[Problem]:
    """Return what is wrong; empty when nothing is."""
    try:
        read_directory(text, "people.yaml")
    except InvalidDirectory as error:
        return error.problems
    return []


def changed(old: str, new: str) -> str:
    """Return the good directory with the first `old` replaced."""
    assert old in GOOD
    return GOOD.replace(old, new, 1)


def test_a_good_directory_is_read() -> None:
    directory = read_directory(GOOD, "people.yaml")
    anna, ben = directory.people
    assert (anna.email, anna.language, anna.time_zone, anna.assistant) == (
        "anna@example.com",
        "de",
        "Europe/Zurich",
        "ben@example.com",
    )
    assert (ben.language, ben.time_zone, ben.holidays) == ("en", "Europe/London", None)
    assert directory.roles == {
        "executive-board": ["anna@example.com"],
        "staff": ["anna@example.com", "ben@example.com"],
    }


@pytest.mark.parametrize(
    ("old", "new", "line", "column", "words"),
    [
        ("ben@example.com, name", "ANNA@example.com, name", 3, 13, "twice"),
        ("email: ben@example.com", "email: ben", 3, 13, "not an e-mail address"),
        ("email: ben@example.com, ", "", 3, 5, "“email” is missing"),
        ("name: Ben Frei", 'name: " "', 3, 36, "the name is empty"),
        ("name: Ben Frei", 'name: "a\\nb"', 3, 36, "one line"),
        ("time_zone: Europe/London", "time_zone: Europe/Lodon", 3, 57, "Europe/London"),
        ("holidays: CH-ZH", "holidays: CH-XX", 2, 74, "XX"),
        ("language: de", "language: fr", 2, 60, "de or en"),
        ("assistant: ben", "assistant: bem", 2, 92, "did you mean “ben@example.com”"),
        ("assistant: ben", "assistant: anna", 2, 92, "own assistant"),
        ("holidays: CH-ZH", "chat: ' '", 2, 70, "the chat is empty"),
        ("holidays: CH-ZH", 'chat: "a\\nb"', 2, 70, "one line"),
        ("holidays:", "holiday:", 2, 64, "did you mean “holidays”"),
        ("[anna@example.com]", "[anne@example.com]", 5, 21, "did you mean “anna@example.com”"),
        ("[anna@example.com]", "[zoe@example.org]", 5, 21, "add them under “people”"),
        ("BEN@", "Anna@", 6, 29, "named twice"),
        ("executive-board:", "The Board:", 5, 3, "small letters"),
        ("executive-board:", "requester:", 5, 3, "requester"),
        ("[anna@example.com]", "anna@example.com", 5, 20, "list"),
        ("language: de", "quiet: 7-19", 2, 57, "two times of the day, such as “19:00-07:00”"),
        ("language: de", "morning: 7:30", 2, 59, "write it like “07:30”"),
    ],
)
def test_each_mistake_has_its_place(old: str, new: str, line: int, column: int, words: str) -> None:
    found = [problem for problem in problems(changed(old, new)) if words in problem.sentence]
    assert [(problem.line, problem.column) for problem in found] == [(line, column)], problems(changed(old, new))


def test_hours_at_the_top_count_for_everybody_who_has_none_of_their_own() -> None:
    text = "quiet: 19:00-07:00\nmorning: 07:30\n" + changed("language: de", "quiet: none, morning: 09:00")
    directory = read_directory(text, "people.yaml")
    hours = {person.email: (directory.quiet_of(person), directory.morning_of(person)) for person in directory.people}
    assert hours == {"anna@example.com": (None, "09:00"), "ben@example.com": ("19:00-07:00", "07:30")}


def test_a_duplicate_key_is_refused() -> None:
    (problem,) = problems(GOOD + "  staff: []\n")
    assert (problem.line, problem.column) == (7, 3)


def test_nobody_at_all() -> None:
    (problem,) = problems("people: []\n")
    assert (problem.line, problem.column) == (1, 9)


def test_the_error_names_the_file() -> None:
    with pytest.raises(InvalidDirectory, match=r"^people\.yaml, line 1, column 1: the file is empty"):
        read_directory("", "people.yaml")


@given(st.text() | st.binary())
def test_whatever_the_file_holds_nothing_but_invalid_directory_is_raised(content: str | bytes) -> None:
    problems(content)


@given(st.lists(st.sampled_from([*GOOD.splitlines(), "", "a: [", "- {", "people:", "roles: {a: }"])).map("\n".join))
def test_lines_in_any_order_raise_nothing_but_invalid_directory(content: str) -> None:
    problems(content)


def test_closures_are_days_with_a_name() -> None:
    [closure] = read_directory(f"{GOOD}closures: [{{first: 2026-12-24, last: 2027-01-01}}]\n", "people.yaml").closures
    assert (closure.first.isoformat(), closure.last.isoformat(), closure.title) == ("2026-12-24", "2027-01-01", "")


@pytest.mark.parametrize(
    ("closure", "words"),
    [
        ("{first: 2026-12-24, last: 2026-12-01}", "the last day comes before the first one"),
        ("{first: 2026-01-01, last: 2027-12-31}", "not closed for more than a year"),
        ("{first: 2026-12-24}", "the key “last” is missing"),
        ("{first: Christmas, last: 2026-12-31}", "Christmas"),
        ("{first: 2026-12-24, last: 2026-12-31, tittle: x}", "did you mean “title”?"),
    ],
)
def test_a_closure_that_cannot_be_is_refused(closure: str, words: str) -> None:
    [problem] = problems(f"{GOOD}closures: [{closure}]\n")
    assert words in problem.sentence
    assert problem.line == 7


def test_holidays_of_people_are_written_as_in_plans() -> None:
    assert problems(changed("CH-ZH", "DE-BY+catholic")) == []
    [problem] = problems(changed("CH-ZH", "DE-BY+katholisch"))
    assert "those are catholic" in problem.sentence
