"""Checklists: what a form holds in one form that can be stored, and every minimum enforced."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.checklist import check, normalise
from domain.errors import InvalidInput
from domain.plan import Item


def item(kind: str, item_id: str = "it", **rules: Any) -> Item:
    return Item.model_validate({"id": item_id, "title": "Item", "kind": kind, **rules})


def problem(asked: Item, typed: Any) -> str | None:
    """What is wrong with what was typed into a form for one item."""
    reasons = check([asked], normalise([asked], {asked.id: typed}))
    return str(reasons[asked.id]) if reasons else None


TEAM = item("people", "team", minimum=2)
HOURS = item("number", "hours", minimum=4, each=True, people_from="team")


def hours_problem(hours: Any, team: str = "Anna\nBen", asked: Item = HOURS) -> str | None:
    reasons = check([TEAM, asked], normalise([TEAM, asked], {"team": team, "hours": hours}))
    return str(reasons["hours"]) if "hours" in reasons else None


@pytest.mark.parametrize(
    ("typed", "people"),
    [
        ("Anna Keller\nBen Frei", ["Anna Keller", "Ben Frei"]),
        ("  Anna \r\n\r\n \n Ben\n", ["Anna", "Ben"]),
        ("Anna\nanna\nANNA", ["Anna"]),
        ("Straße\nSTRASSE", ["Straße"]),
        ("Zu\u0308rich\nZürich", ["Zürich"]),
        ("Keller, Anna", ["Keller, Anna"]),
        (["Anna", " Ben ", ""], ["Anna", "Ben"]),
        ("", []),
        (" \n\u200b", []),
        (None, []),
    ],
)
def test_people_are_one_per_line_and_each_counts_once(typed: Any, people: list[str]) -> None:
    assert normalise([TEAM], {"team": typed}) == {"team": people}


@pytest.mark.parametrize(
    ("minimum", "typed", "fine"),
    [
        (2, "Anna\nBen", True),
        (2, "Anna", False),
        (2, "Anna\nanna", False),
        (2, "Anna\nBen\nCarla", True),
        (2, "", False),
        (None, "Anna", True),
        (None, "", False),
        (0, "", False),
    ],
)
def test_at_least_so_many_people_must_be_named(minimum: int | None, typed: str, fine: bool) -> None:
    assert (problem(item("people", minimum=minimum), typed) is None) is fine


def test_the_reason_says_how_many_and_how_many_there_are() -> None:
    assert problem(TEAM, "Anna") == "At least 2 must be named; so far there are 1."


def test_what_is_not_required_may_be_empty_but_not_too_little() -> None:
    for kind, too_little in [("people", "Anna"), ("number", "1")]:
        asked = item(kind, minimum=2, required=False)
        assert problem(asked, "") is None
        assert problem(asked, too_little) is not None
    assert problem(item("text", required=False), "") is None
    assert problem(item("yes-no", required=False), "no") is None


@pytest.mark.parametrize(
    ("typed", "stored"),
    [("12,5", "12.5"), ("12.50", "12.5"), ("1'000", "1000"), ("0", "0"), ("-0", "0"), ("", ""), (None, "")],
)
def test_a_number_is_stored_in_one_form(typed: Any, stored: str) -> None:
    assert normalise([item("number")], {"it": typed}) == {"it": stored}


@pytest.mark.parametrize(
    ("typed", "fine"),
    [("20", True), ("20,0", True), ("19.99", False), ("20.01", True), ("0", False), ("-20", False), ("", False)]
    + [("many", False), ("1e2", False), ("20.000", False), ("20.0000", True)],
)
def test_a_number_is_at_least_its_minimum(typed: str, fine: bool) -> None:
    assert (problem(item("number", minimum=20), typed) is None) is fine


def test_a_number_without_a_minimum_may_be_nought() -> None:
    assert problem(item("number"), "0") is None


def test_what_is_not_a_number_stays_as_typed_so_that_it_can_be_corrected() -> None:
    assert normalise([item("number")], {"it": "about ten"}) == {"it": "about ten"}
    assert problem(item("number"), "about ten") == "“about ten” is not a number that can be read in one way only."


@pytest.mark.parametrize("typed", ["1,2550", "12,5000", "1'234.567", "0.125"])
def test_what_can_be_read_in_one_way_when_typed_still_can_when_stored(typed: str) -> None:
    assert problem(item("number"), typed) is None


@pytest.mark.parametrize(
    ("hours", "stored"),
    [
        ("Anna: 8\nBen: 4,5", {"Anna": "8", "Ben": "4.5"}),
        ("Anna:8\n\n  Ben  :  4 ", {"Anna": "8", "Ben": "4"}),
        ("Dr. Anna: Social: 8", {"Dr. Anna: Social": "8"}),
        ({"Anna": "8", "Ben": "4,5"}, {"Anna": "8", "Ben": "4.5"}),
        ("Anna", {"Anna": ""}),
        ("", {}),
        (None, {}),
    ],
)
def test_a_number_for_each_is_a_line_with_name_and_number(hours: Any, stored: dict[str, str]) -> None:
    assert normalise([HOURS], {"hours": hours}) == {"hours": stored}


@pytest.mark.parametrize(
    ("hours", "fine"),
    [
        ("Anna: 4\nBen: 4", True),
        ("ben: 40\nANNA: 4.0", True),
        ("Anna: 4", False),
        ("Anna: 4\nBen:", False),
        ("Anna: 4\nBen: 3.99", False),
        ("Anna: 4\nBen: lots", False),
        ("Anna: 4\nBen: 4\nCarla: 4", False),
        ("8", False),
        ("", False),
    ],
)
def test_every_person_named_needs_at_least_the_minimum(hours: str, fine: bool) -> None:
    assert (hours_problem(hours) is None) is fine


def test_the_reason_names_the_person() -> None:
    assert hours_problem("Anna: 4\nBen: 3") == "Ben: 3 is too little; at least 4 is needed."
    assert "missing for Ben;" in (hours_problem("Anna: 4") or "")
    assert "Carla is not among" in (hours_problem("Anna: 4\nBen: 4\nCarla: 1") or "")


def test_numbers_for_nobody_are_not_enough() -> None:
    assert hours_problem("", team="") == "Please name the people first."
    assert hours_problem("Anna: 8", team="") == "Please name the people first."
    lost = item("number", "hours", each=True, people_from="nowhere")
    assert hours_problem("Anna: 8", asked=lost) == "Please name the people first."


def test_numbers_that_are_not_required_may_be_left_out_but_not_half() -> None:
    optional = item("number", "hours", minimum=4, each=True, people_from="team", required=False)
    assert hours_problem("", asked=optional) is None
    assert hours_problem("Anna: 8", asked=optional) is not None


@pytest.mark.parametrize("hours", ["Anna: 1\nanna: 40", ": 8"])
def test_a_name_written_twice_or_not_at_all_is_refused(hours: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        normalise([HOURS], {"hours": hours})
    assert list(refused.value.fields) == ["hours"]


@pytest.mark.parametrize(("typed", "fine"), [("Tuesdays\n9:00", True), ("", False), (" \n ", False), ("\u200b", False)])
def test_a_text_that_is_required_must_say_something(typed: str, fine: bool) -> None:
    assert (problem(item("text"), typed) is None) is fine


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ("yes", True),
        ("on", True),
        (" Yes ", True),
        (True, True),
        ("no", False),
        ("", False),
        (None, False),
        ("x", False),
    ],
)
def test_only_a_yes_is_a_yes(typed: Any, answer: bool) -> None:
    assert normalise([item("yes-no")], {"it": typed}) == {"it": answer}
    assert (problem(item("yes-no"), typed) is None) is answer


def test_a_field_of_no_item_is_left_out_and_a_missing_one_is_empty() -> None:
    items = [TEAM, HOURS, item("text", "rhythm"), item("yes-no", "trained"), item("number", "money")]
    assert normalise(items, {"code": "123456", "decision": "approve"}) == {
        "team": [],
        "hours": {},
        "rhythm": "",
        "trained": False,
        "money": "",
    }
    assert set(check(items, normalise(items, {}))) == {"team", "hours", "rhythm", "trained", "money"}


def test_every_item_is_wrong_when_there_are_no_answers_at_all() -> None:
    items = [TEAM, HOURS, item("text", "rhythm"), item("yes-no", "trained"), item("number", "money")]
    assert set(check(items, {})) == {"team", "hours", "rhythm", "trained", "money"}


def test_what_cannot_be_stored_is_refused_field_by_field() -> None:
    items = [TEAM, item("text", "rhythm"), item("number", "money")]
    with pytest.raises(InvalidInput) as refused:
        normalise(items, {"team": "An\0na", "rhythm": "a\u202eb", "money": "5"})
    assert set(refused.value.fields) == {"team", "rhythm"}


KINDS = st.sampled_from([item("people"), item("number"), item("text"), item("yes-no"), item("number", each=True)])


@given(KINDS, st.one_of(st.none(), st.text(max_size=30), st.lists(st.text(max_size=10), max_size=3)))
def test_answers_can_be_stored_as_json_and_are_normal_already(asked: Item, typed: Any) -> None:
    try:
        answers = normalise([asked], {"it": typed})
    except InvalidInput:
        return
    stored = json.loads(json.dumps(answers))
    assert stored == answers
    assert normalise([asked], stored) == answers
