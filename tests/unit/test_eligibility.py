"""Who may decide: the members of the groups less those excluded, whatever the case of their addresses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.eligibility import Separation, Voice, eligible, normalise_address, why_may_not_speak
from domain.errors import InvalidInput

PEOPLE = st.sampled_from(["anna@example.com", "Anna@Example.com", "ben@example.com", "CARLA@example.com"])
GROUPS = st.dictionaries(st.sampled_from(["board", "hr"]), st.lists(PEOPLE))


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        (" Anna.Keller@Example.COM ", "anna.keller@example.com"),
        ("a+b_c-d'e@sub.example.co", "a+b_c-d'e@sub.example.co"),
        ("x@xn--mller-kva.ch", "x@xn--mller-kva.ch"),
        (f"{'a' * 64}@example.com", f"{'a' * 64}@example.com"),
    ],
)
def test_an_address_is_kept_in_small_letters(typed: str, address: str) -> None:
    assert normalise_address(typed) == address


@pytest.mark.parametrize(
    "typed",
    ["", " ", "anna", "@example.com", "anna@", "anna@example", "anna@@example.com", "a@b@example.com"]
    + ["anna keller@example.com", "Anna <anna@example.com>", "<anna@example.com>", "anna@example.com,ben@example.com"]
    + ["anna@example.com\n", "anna@example.com\r\nBcc: eve@example.com", "anna\0@example.com", "anna\t@example.com"]
    + ["=?utf-8?q?anna?=@example.com", ".anna@example.com", "anna.@example.com", "an..na@example.com"]
    + ["anna@-example.com", "anna@example-.com", "anna@exa_mple.com", "anna@.com", "anna@example.com."]
    + [f"{'a' * 65}@example.com", f"anna@{'a' * 64}.com", f"anna@{'abc.' * 63}com", '"anna"@example.com']
    + ["änna@example.com", "anna@müller.ch", "an\u212aa@example.com", "anna@example.com\u200b", "\ud800@example.com"],
)
def test_what_is_not_a_plausible_address_is_refused(typed: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        normalise_address(typed)
    assert refused.value.sentence.isprintable()


def test_the_excluded_are_left_out_whatever_the_case() -> None:
    groups = {"board": ["Anna@example.com", "ben@example.com"], "hr": ["anna@EXAMPLE.com"]}
    assert eligible(groups, ["ANNA@example.com"]) == {"board": frozenset({"ben@example.com"}), "hr": frozenset()}


def test_one_person_written_twice_is_one_person() -> None:
    groups = {"board": ["anna@example.com", "Anna@Example.com"]}
    assert eligible(groups, []) == {"board": frozenset({"anna@example.com"})}


def test_the_groups_stay_in_plan_order() -> None:
    assert list(eligible({"hr": [], "board": [], "adviser@example.com": ["adviser@example.com"]}, [])) == [
        "hr",
        "board",
        "adviser@example.com",
    ]


@given(GROUPS, st.lists(PEOPLE), PEOPLE)
def test_there_is_a_reason_exactly_for_those_who_are_not_eligible(
    groups: dict[str, list[str]], excluded: list[str], person: str
) -> None:
    members = frozenset[str]().union(*eligible(groups, excluded).values())
    apart = Separation(frozenset(one.lower() for one in excluded))
    own = Voice(person.lower(), person.lower())
    assert (why_may_not_speak(own, members, apart) is None) is (person.lower() in members)


ANNA, BEN, CARLA, LEA = "anna@example.com", "ben@example.com", "carla@example.com", "lea@example.com"
BOARD = frozenset({ANNA, BEN, CARLA})


@pytest.mark.parametrize(
    ("voice", "apart", "spoken", "because"),
    [
        (Voice(ANNA, ANNA), Separation(), [], None),
        (Voice(ANNA, LEA), Separation(), [], None),
        (Voice(LEA, LEA), Separation(), [], "not among those"),
        (Voice(LEA, ANNA), Separation(), [], "not among those"),
        (Voice(ANNA, ANNA), Separation(excluded=frozenset({ANNA})), [], "the plan excludes them"),
        (Voice(ANNA, LEA), Separation(excluded=frozenset({LEA})), [], "the plan excludes them"),
        (Voice(ANNA, BEN), Separation(excluded=frozenset({ANNA})), [], "the plan excludes them"),
        (Voice(ANNA, ANNA), Separation(decided_elsewhere=frozenset({ANNA})), [], "other people must decide"),
        (Voice(ANNA, LEA), Separation(decided_elsewhere=frozenset({LEA})), [], "other people must decide"),
        (Voice(ANNA, ANNA), Separation(only=frozenset({BEN})), [], "Only those who approved"),
        (Voice(ANNA, LEA), Separation(only=frozenset({ANNA})), [], None),
        (Voice(BEN, BEN), Separation(), [Voice(ANNA, ANNA)], None),
        (Voice(BEN, BEN), Separation(), [Voice(ANNA, BEN)], "One person is one voice"),
        (Voice(ANNA, BEN), Separation(), [Voice(BEN, BEN)], "One person is one voice"),
        (Voice(ANNA, BEN), Separation(), [Voice(CARLA, BEN)], "One person is one voice"),
        (Voice(BEN, LEA), Separation(), [Voice(ANNA, BEN)], "One person is one voice"),
        (Voice(ANNA, ANNA), Separation(), [Voice(ANNA, LEA)], None),  # the same voice again: it is counted once
    ],
)
def test_who_may_speak(voice: Voice, apart: Separation, spoken: list[Voice], because: str | None) -> None:
    reason = why_may_not_speak(voice, BOARD, apart, spoken)
    assert (reason is None) if because is None else because in str(reason)
