"""Tokens and codes can be made again from key and request, and tell nothing of each other."""

from __future__ import annotations

import base64
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.links import (
    board,
    board_token,
    code,
    feed_token,
    is_board_token,
    is_page_token,
    key_id,
    link_token,
    looks_like_token,
    page_token,
    rollout_page,
    same_code,
    token_hash,
)

KEY, OTHER_KEY = b"k" * 32, b"o" * 32
REQUEST = "0b6f7d4e-6a4d-4a39-8f0e-3f6f6d1c2b1a"
KEYS = st.binary(min_size=16, max_size=64)
REQUESTS = st.text(max_size=40)
NUMBERS = st.integers(1, 1000)


def test_a_token_stays_what_it_was_in_the_mails_already_sent() -> None:
    """Changing how tokens are made would kill every link that is out."""
    assert link_token(KEY, REQUEST, 1) == "CuNcYiA8zTPAXuvnWevs0MtZiQDut8wZkOBieO-L2d0"
    assert code(KEY, REQUEST, 1) == "841749"
    assert key_id(KEY) == "33fb0af1d9c339f1"


@given(KEYS, REQUESTS, NUMBERS)
def test_a_token_is_256_bits_in_43_characters_and_the_same_every_time(key: bytes, request: str, number: int) -> None:
    token = link_token(key, request, number)
    assert token == link_token(key, request, number)
    assert len(token) == 43
    assert set(token) <= set(string.ascii_letters + string.digits + "-_")
    assert len(base64.urlsafe_b64decode(f"{token}=")) == 32
    assert looks_like_token(token)


@given(KEYS, REQUESTS, NUMBERS)
def test_a_code_is_six_digits(key: bytes, request: str, number: int) -> None:
    assert len(code(key, request, number)) == 6
    assert set(code(key, request, number)) <= set(string.digits)


def test_a_code_keeps_its_leading_noughts() -> None:
    codes = {code(KEY, REQUEST, number) for number in range(200)}
    assert any(digits.startswith("0") for digits in codes)
    assert {len(digits) for digits in codes} == {6}


@pytest.mark.parametrize(("key", "request_id", "number"), [(OTHER_KEY, REQUEST, 1), (KEY, "x", 1), (KEY, REQUEST, 2)])
def test_another_key_request_or_number_makes_another_token_and_code(key: bytes, request_id: str, number: int) -> None:
    assert link_token(key, request_id, number) != link_token(KEY, REQUEST, 1)
    assert code(key, request_id, number) != code(KEY, REQUEST, 1)


def test_a_request_cannot_be_read_as_another_with_another_number() -> None:
    assert link_token(KEY, "a1", 1) != link_token(KEY, "a", 11)


def test_the_code_cannot_be_read_from_the_token() -> None:
    """The same bytes under the same label would make the code part of what the page already knows."""
    raw = base64.urlsafe_b64decode(link_token(KEY, REQUEST, 1) + "=")
    assert code(KEY, REQUEST, 1) != f"{int.from_bytes(raw) % 1_000_000:06d}"


def test_keys_have_names_of_their_own_that_hold_no_part_of_the_key() -> None:
    assert key_id(KEY) != key_id(OTHER_KEY)
    assert len(key_id(KEY)) == 16
    assert key_id(KEY) not in KEY.hex()


@pytest.mark.parametrize("key", [b"", b"k" * 15])
def test_a_short_key_is_refused(key: bytes) -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        link_token(key, REQUEST, 1)
    with pytest.raises(ValueError, match="16 bytes"):
        code(key, REQUEST, 1)
    with pytest.raises(ValueError, match="16 bytes"):
        key_id(key)


def test_a_token_is_stored_as_its_sha_256() -> None:
    assert token_hash("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert len(token_hash("half a character \ud800")) == 64


@pytest.mark.parametrize(
    "typed", ["012345", " 012345 ", "012 345", "012-345", "0 1 2 3 4 5", "012\u2011345", "012\u00a0345\n"]
)
def test_spaces_and_hyphens_in_a_typed_code_are_ignored(typed: str) -> None:
    assert same_code(typed, "012345")


@pytest.mark.parametrize(
    "typed", ["", " ", "-", "12345", "0123456", "012346", "O12345", "012.345", "０12345", "\ud800"]
)
def test_any_other_code_is_wrong(typed: str) -> None:
    assert not same_code(typed, "012345")


@pytest.mark.parametrize("typed", ["", " ", "-"])
def test_no_code_expected_is_no_code_met(typed: str) -> None:
    assert not same_code(typed, "")


TOKEN = link_token(KEY, REQUEST, 1)


@pytest.mark.parametrize(
    "text",
    ["", TOKEN[:-1], TOKEN + "A", TOKEN[:-1] + "=", TOKEN + "\n", " " + TOKEN[1:], TOKEN[:-1] + "B", "ü" + TOKEN[1:]],
)
def test_a_mutilated_token_does_not_look_like_one(text: str) -> None:
    assert not looks_like_token(text)


def test_no_token_of_one_purpose_is_one_of_another() -> None:
    key = b"a key of many bytes, for tests"
    tokens = {link_token(key, "x", 1), page_token(key, "x"), feed_token(key, "x", 1), board_token(key)}
    assert len(tokens) == 4
    assert all(map(looks_like_token, tokens))
    assert feed_token(key, "x", 2) not in tokens


def test_the_board_is_opened_by_its_token_of_any_key_and_by_nothing_else() -> None:
    assert board("https://x", KEY) == f"https://x/board/{board_token(KEY)}"
    assert is_board_token([OTHER_KEY, KEY], board_token(KEY))
    for token in (board_token(OTHER_KEY), page_token(KEY, "board"), link_token(KEY, "board", 1), "ü", ""):
        assert not is_board_token([KEY], token)


def test_a_page_is_opened_by_a_token_of_any_key_and_of_that_rollout_alone() -> None:
    assert rollout_page("https://x", KEY, "abc") == f"https://x/rollouts/abc/{page_token(KEY, 'abc')}"
    assert is_page_token([OTHER_KEY, KEY], "abc", page_token(KEY, "abc"))
    for rollout_id, token in (
        ("abd", page_token(KEY, "abc")),
        ("abc", link_token(KEY, "abc", 1)),
        ("abc", "ü"),
        ("abc", ""),
    ):
        assert not is_page_token([OTHER_KEY, KEY], rollout_id, token)
    assert not is_page_token([OTHER_KEY], "abc", page_token(KEY, "abc"))
