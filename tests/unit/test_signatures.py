"""Calls signed as Standard Webhooks has them: its published example, and everything that is no such signature."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import pytest

from domain.signatures import is_signed, is_timely, key, sign

# The example in the tests of the specification's own libraries.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
TIMESTAMP = "1614265330"
BODY = b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

KEY = key(SECRET)
OTHER = key(base64.b64encode(b"another key of 32 bytes is this.").decode())
SENT = datetime.fromtimestamp(int(TIMESTAMP), UTC)


def test_the_published_example() -> None:
    assert sign(KEY, ID, TIMESTAMP, BODY) == SIGNATURE
    assert is_signed([KEY], ID, TIMESTAMP, SIGNATURE, BODY)
    assert key(SECRET.removeprefix("whsec_")) == KEY


@pytest.mark.parametrize(
    ("message_id", "timestamp", "signatures", "body"),
    [
        ("msg_other", TIMESTAMP, SIGNATURE, BODY),
        (ID, "1614265331", SIGNATURE, BODY),
        (ID, TIMESTAMP, SIGNATURE, BODY + b" "),
        (ID, TIMESTAMP, SIGNATURE[:-2] + "A=", BODY),
        (ID, TIMESTAMP, SIGNATURE.removeprefix("v1,"), BODY),
        (ID, TIMESTAMP, SIGNATURE.replace("v1,", "v1a,"), BODY),
        (ID, TIMESTAMP, "v1,", BODY),
        (ID, TIMESTAMP, "", BODY),
        (ID, TIMESTAMP, "v1,ä\udc80", BODY),
        ("", TIMESTAMP, SIGNATURE, BODY),
    ],
)
def test_anything_else_is_no_signature(message_id: str, timestamp: str, signatures: str, body: bytes) -> None:
    assert not is_signed([KEY], message_id, timestamp, signatures, body)


def test_an_id_with_a_full_stop_is_not_taken() -> None:
    """Else what is signed could be cut into id, moment and body in more than one way."""
    assert sign(KEY, "a", "1", b"2.x") == sign(KEY, "a.1", "2", b"x")
    assert not is_signed([KEY], "a.1", "2", sign(KEY, "a.1", "2", b"x"), b"x")


def test_an_id_of_any_length_is_not_taken() -> None:
    assert not is_signed([KEY], "a" * 201, TIMESTAMP, sign(KEY, "a" * 201, TIMESTAMP, BODY), BODY)


def test_one_of_several_signatures_and_one_of_several_keys_is_enough() -> None:
    assert is_signed([KEY], ID, TIMESTAMP, f"v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc= {SIGNATURE}", BODY)
    assert is_signed([OTHER, KEY], ID, TIMESTAMP, SIGNATURE, BODY)
    assert not is_signed([OTHER], ID, TIMESTAMP, SIGNATURE, BODY)
    assert not is_signed([], ID, TIMESTAMP, SIGNATURE, BODY)


@pytest.mark.parametrize(("seconds", "expected"), [(0, True), (300, True), (301, False), (-300, True), (-301, False)])
def test_a_call_is_timely_for_five_minutes_both_ways(seconds: int, expected: bool) -> None:
    assert is_timely(TIMESTAMP, SENT + timedelta(seconds=seconds)) is expected


@pytest.mark.parametrize("timestamp", ["", "now", "-1", "1614265330.0", "١٦١٤٢٦٥٣٣٠", "9" * 400])
def test_what_is_no_moment_is_never_timely(timestamp: str) -> None:
    assert not is_timely(timestamp, SENT)


@pytest.mark.parametrize(
    ("secret", "words"), [("", "0 bytes"), ("whsec_abc!", "not base64"), ("c2hvcnQ=", "5 bytes"), ("ä", "not base64")]
)
def test_a_secret_that_is_no_key_is_refused_in_words(secret: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        key(secret)
