"""The hash chain: whatever is changed, moved, added or taken out in the record shows, and where."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.record import GENESIS, entry_hash, first_break

Entries = list[dict[str, Any]]


def chain(actions: Sequence[str]) -> Entries:
    entries: Entries = []
    previous = GENESIS
    for sequence, action in enumerate(actions, start=1):
        content = {"sequence": sequence, "action": action, "at": datetime(2026, 7, 6, 8, sequence, tzinfo=UTC)}
        entry = {**content, "previous_hash": previous, "entry_hash": entry_hash(previous, content)}
        entries.append(entry)
        previous = str(entry["entry_hash"])
    return entries


ACTIONS = ["started", "opened", "decided", "passed"]


@given(st.lists(st.text(max_size=5), max_size=8))
def test_an_untouched_record_holds(actions: list[str]) -> None:
    assert first_break(chain(actions)) is None


@pytest.mark.parametrize("position", range(4))
@pytest.mark.parametrize(
    "change", [{"action": "waived"}, {"at": datetime(2020, 1, 1, tzinfo=UTC)}, {"comment": "added"}, {"sequence": 9}]
)
def test_a_changed_entry_shows_where_it_is(position: int, change: dict[str, Any]) -> None:
    entries = chain(ACTIONS)
    entries[position].update(change)
    assert first_break(entries) == entries[position]["sequence"]


@pytest.mark.parametrize("position", range(3))
def test_an_entry_changed_with_its_hash_shows_at_the_next_one(position: int) -> None:
    entries = chain(ACTIONS)
    forged = {**entries[position], "action": "waived"}
    entries[position] = {**forged, "entry_hash": entry_hash(forged["previous_hash"], forged)}
    assert first_break(entries) == position + 2


@pytest.mark.parametrize("position", range(3))
def test_an_entry_taken_out_shows_at_the_next_one(position: int) -> None:
    entries = chain(ACTIONS)
    del entries[position]
    assert first_break(entries) == position + 2


def test_entries_that_changed_places_show() -> None:
    first, second, *rest = chain(ACTIONS)
    assert first_break([second, first, *rest]) == 2


def test_an_entry_put_in_twice_shows() -> None:
    entries = chain(ACTIONS)
    assert first_break([entries[0], *entries]) == 1


def test_an_entry_of_another_record_shows() -> None:
    other = chain(["started", "cancelled", "decided", "passed"])
    assert first_break([*chain(ACTIONS)[:2], other[2]]) == 3


def test_a_record_that_does_not_begin_at_the_beginning_shows() -> None:
    content = {"sequence": 1, "action": "started"}
    entry = {**content, "previous_hash": "f" * 64, "entry_hash": entry_hash("f" * 64, content)}
    assert first_break([entry]) == 1


def test_a_number_left_out_shows_although_the_hashes_follow() -> None:
    first = chain(["started"])[0]
    content = {"sequence": 3, "action": "passed"}
    hashes = {"previous_hash": first["entry_hash"], "entry_hash": entry_hash(first["entry_hash"], content)}
    assert first_break([first, {**content, **hashes}]) == 3


def test_an_end_that_was_cut_off_shows_only_in_the_last_hash() -> None:
    entries = chain(ACTIONS)
    assert first_break(entries[:2]) is None
    assert entries[1]["entry_hash"] != entries[3]["entry_hash"]


def test_the_hash_can_be_checked_with_nothing_but_a_standard_library() -> None:
    entry = {"sequence": 1, "action": "decided", "comment": "für “ja”"}
    text = json.dumps(entry, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    assert entry_hash(GENESIS, entry) == hashlib.sha256(f"{GENESIS}\n{text}".encode()).hexdigest()


def test_the_hash_before_is_covered() -> None:
    entry = {"sequence": 1, "action": "decided"}
    assert entry_hash(GENESIS, entry) != entry_hash("f" * 64, entry)
