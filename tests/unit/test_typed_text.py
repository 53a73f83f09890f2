"""What people type is stored as they meant it, or refused in one sentence; nothing typed becomes a mail header."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from decimal import Decimal
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InvalidInput
from domain.typed_text import clean_line, clean_text, plain_number, read_number

Clean = Callable[[str, int], str]


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  Social Media  ", "Social Media"),
        ("\u00a0Titel\u3000", "Titel"),
        ("Zu\u0308rich", "Zürich"),
        ("日本語 👩‍👩‍👧 – “quoted”", "日本語 👩‍👩‍👧 – “quoted”"),
        ("", ""),
        ("   ", ""),
        ("\u200b\ufeff", ""),
    ],
)
def test_a_line_is_kept_in_nfc_without_blanks_around_it(typed: str, kept: str) -> None:
    assert clean_line(typed, 100) == kept


@pytest.mark.parametrize("character", ["\n", "\r", "\t", "\0", "\x0b", "\x1b", "\x7f", "\x85", "\u2028", "\u2029"])
@pytest.mark.parametrize("place", ["a{}b", "{}a", "a{}"])
def test_a_line_holds_no_line_breaks_and_no_control_characters(character: str, place: str) -> None:
    with pytest.raises(InvalidInput):
        clean_line(place.format(character), 100)


@pytest.mark.parametrize(
    "typed",
    [
        "=?utf-8?q?Hi=0ABcc:_eve@example.com?=",
        "a =?utf-8?b?Cg==?= b",
        "=?UTF-8?Q?=0d?=",
        "=?x",
        "=?us-ascii*en?q?=0A?=",
    ],
)
def test_a_line_holds_no_encoded_words(typed: str) -> None:
    with pytest.raises(InvalidInput, match=r"=\?"):
        clean_line(typed, 100)


@pytest.mark.parametrize("typed", ["Yes?", "a = b ?", "Why = ? and ?=", "1 + 1 = 2?"])
def test_question_marks_and_equals_signs_are_no_encoded_words(typed: str) -> None:
    assert clean_line(typed, 100) == typed


@pytest.mark.parametrize("clean", [clean_line, clean_text])
@pytest.mark.parametrize("character", ["\u202e", "\u202a", "\u2066", "\u2069", "\ud800"])
def test_neither_holds_surrogates_or_characters_that_turn_the_direction(clean: Clean, character: str) -> None:
    with pytest.raises(InvalidInput):
        clean(f"a{character}b", 100)


@pytest.mark.parametrize("clean", [clean_line, clean_text])
def test_as_long_as_allowed_is_fine_and_one_more_is_not(clean: Clean) -> None:
    assert clean("ü" * 10, 10) == "ü" * 10
    assert clean("u\u0308" * 10 + " ", 10) == "ü" * 10
    with pytest.raises(InvalidInput, match="At most 10 characters fit here; these are 11"):
        clean("ü" * 11, 10)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("one\ntwo", "one\ntwo"),
        ("one\r\ntwo\rthree", "one\ntwo\nthree"),
        ("one\u2028two", "one\ntwo"),
        ("item\tamount", "item amount"),
        ("\n\n one \n", "one"),
        (" \n\u200b\n ", ""),
    ],
)
def test_a_text_may_have_lines(typed: str, kept: str) -> None:
    assert clean_text(typed, 100) == kept


@pytest.mark.parametrize("character", ["\0", "\x0b", "\x1b", "\x7f", "\x9f"])
def test_a_text_holds_no_other_control_characters(character: str) -> None:
    with pytest.raises(InvalidInput):
        clean_text(f"a{character}b", 100)


@given(st.text(max_size=60))
def test_what_was_cleaned_stays_as_it_is(typed: str) -> None:
    for clean in (clean_line, clean_text):
        try:
            kept = clean(typed, 200)
        except InvalidInput:
            continue
        assert clean(kept, 200) == kept
        assert unicodedata.is_normalized("NFC", kept)
        assert kept == "" or not (kept[0].isspace() or kept[-1].isspace())


HEADERS = st.sampled_from(["=?", "?=", "utf-8", "q?", "=0A", "=0D", "Bcc: eve@example.com", "\r\n", "\u2028", " ", "ü"])


@given(st.one_of(st.lists(HEADERS, max_size=12).map("".join), st.text(max_size=40)))
def test_no_line_that_passes_adds_a_header_to_a_mail(typed: str) -> None:
    try:
        line = clean_line(typed, 200)
    except InvalidInput:
        return
    message = EmailMessage()
    message["Subject"] = f"{line}: please decide"
    message["To"] = "anna@example.com"
    read = message_from_bytes(bytes(message), policy=policy.default)
    assert sorted(read.keys()) == ["Subject", "To"]


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("12,5", "12.5"),
        ("12.5", "12.5"),
        ("1'000", "1000"),
        ("1’000’000.50", "1000000.50"),
        ("1 000", "1000"),
        ("1\u202f000,25", "1000.25"),
        (" 0 ", "0"),
        ("0.125", "0.125"),
        ("1000.125", "1000.125"),
        ("-3", "-3"),
        ("\u22123", "-3"),
        ("007", "7"),
    ],
)
def test_numbers_are_read_as_people_write_them(typed: str, number: str) -> None:
    assert read_number(typed) == Decimal(number)


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "many",
        "1e3",
        "NaN",
        "inf",
        "1'00",
        "1'0000",
        "12.5.1",
        "1.234,50",
        ".5",
        "5.",
        "１２",
        "٣",
        "+1",
        "1_000",
        "0x1",
    ]
    + ["9" * 16, "1\n2"],
)
def test_anything_else_is_not_a_number(typed: str) -> None:
    with pytest.raises(InvalidInput, match="is not a number"):
        read_number(typed)


@pytest.mark.parametrize("typed", ["1,000", "1.000", "12,500", "123.456", "-1,000"])
def test_what_some_read_as_thousands_is_refused(typed: str) -> None:
    with pytest.raises(InvalidInput, match="two ways"):
        read_number(typed)


@pytest.mark.parametrize(
    ("number", "written"),
    [
        ("12.50", "12.5"),
        ("1000", "1000"),
        ("1E+3", "1000"),
        ("0.000", "0"),
        ("-0.0", "0"),
        ("-1.10", "-1.1"),
        ("100.0", "100"),
    ],
)
def test_a_number_is_written_without_exponent_and_needless_noughts(number: str, written: str) -> None:
    assert plain_number(Decimal(number)) == written
