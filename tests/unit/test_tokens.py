"""Tokens for the API: their form, and that none of them reaches a log."""

from __future__ import annotations

import logging

import pytest

from domain.tokens import looks_like_token, token_hash, written
from web.masking import MaskTokens, masked

SECRET = bytes(range(32))
TOKEN = written(SECRET)


def test_a_token_is_a_prefix_that_scanners_find_and_256_bits() -> None:
    assert TOKEN == "etappe_000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
    assert looks_like_token(TOKEN)


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_a_secret_of_any_other_length_makes_no_token(length: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        written(bytes(length))


@pytest.mark.parametrize(
    "text", ["", "etappe_", TOKEN[:-1], f"{TOKEN}0", TOKEN.upper(), f" {TOKEN}", f"{TOKEN}\n", TOKEN.replace("e", "é")]
)
def test_what_only_resembles_a_token_is_none(text: str) -> None:
    assert not looks_like_token(text)


def test_the_hash_gives_nothing_of_the_token_away_and_is_another_for_each() -> None:
    assert len(token_hash(TOKEN)) == 64
    assert TOKEN.removeprefix("etappe_") not in token_hash(TOKEN)
    assert token_hash(TOKEN) != token_hash(written(bytes(32)))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (TOKEN, "etappe_…"),
        (f"Authorization: Bearer {TOKEN}", "Authorization: Bearer …"),
        ("authorization: bearer something-else, and more", "authorization: bearer …, and more"),
        (f'GET /api/v1/rollouts?token={TOKEN} "', 'GET /api/v1/rollouts?token=etappe_… "'),
        ("GET /api/v1/rollouts", "GET /api/v1/rollouts"),
    ],
)
def test_a_token_is_masked(text: str, shown: str) -> None:
    assert masked(text) == shown


def test_a_log_record_is_written_without_tokens(caplog: pytest.LogCaptureFixture) -> None:
    log = logging.getLogger("tests.masked")
    log.addFilter(MaskTokens())
    try:
        raise RuntimeError(f"boom with {TOKEN}")
    except RuntimeError:
        log.exception("refused %s for %s", TOKEN, f"Bearer {TOKEN}")
    assert TOKEN.removeprefix("etappe_") not in caplog.text
    assert "etappe_…" in caplog.text
