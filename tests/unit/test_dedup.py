"""The same event gives the same key, another event another one, and every key fits its column."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from notifications import dedup

DUE = datetime(2026, 11, 24, 13, 5, tzinfo=UTC)
PERSON = "a" * 64 + "@" + "b" * 180 + ".example.com"
REQUEST = "f" * 32


def keys(person: str, due_at: datetime, number: int) -> list[str]:
    return [
        dedup.request(REQUEST, number),
        dedup.code(REQUEST, number),
        dedup.escalation(REQUEST, number),
        dedup.copy(number),
        dedup.delegation(number, "given", person),
        dedup.reminder(REQUEST, due_at),
        dedup.digest([dedup.reminder(REQUEST, due_at)]),
        dedup.receipt(number),
        dedup.outcome(number, person),
        dedup.information(REQUEST, number, person),
        dedup.stalled(number, due_at, person),
        dedup.undelivered(number, person),
    ]


def test_no_two_events_share_a_key() -> None:
    every = keys("a@x.ch", DUE, 1) + keys("b@x.ch", DUE + timedelta(days=1), 2)
    assert len(set(every)) == len(every)


def test_the_same_event_has_the_same_key_in_any_zone_and_spelling() -> None:
    there = DUE.astimezone(timezone(timedelta(hours=5)))
    assert keys("A@x.ch", DUE, 1) == keys("a@x.ch ", there, 1)


def test_a_person_may_hear_several_things_because_of_one_entry() -> None:
    every = [dedup.information(REQUEST, 5, "a@x.ch", number) for number in (1, 2, 3)]
    assert len({*every, dedup.information(REQUEST, 51, "a@x.ch")}) == 4


def test_a_digest_of_the_same_is_the_same_mail_in_any_order_and_one_that_says_more_is_another() -> None:
    assert dedup.digest(["a", "b"]) == dedup.digest(["b", "a"]) != dedup.digest(["a", "b", "c"])


def test_every_key_fits_its_column() -> None:
    assert max(map(len, keys(PERSON, DUE, 2**62))) <= 200
