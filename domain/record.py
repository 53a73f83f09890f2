"""The hash chain of the record: each entry's hash covers the hash before it, so nothing can change unseen.

To verify without Etappe: SHA-256 of the previous hash, a line break, and the entry's canonical JSON
(domain/evidence.py).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from domain.evidence import canonical_json

GENESIS = "0" * 64
"""The hash before the first entry."""
_NOT_COVERED = frozenset({"previous_hash", "entry_hash"})


def entry_hash(previous: str, entry: Mapping[str, Any]) -> str:
    """Return the hash of an entry that follows `previous`, in hex (64 characters).

    The entry's own `previous_hash` and `entry_hash` are left out. Raises what `canonical_json` raises.
    """
    covered = {name: value for name, value in entry.items() if name not in _NOT_COVERED}
    return hashlib.sha256(f"{previous}\n{canonical_json(covered)}".encode()).hexdigest()


def first_break(entries: Iterable[Mapping[str, Any]]) -> int | None:
    """Return the sequence number of the first entry that does not follow the one before it, or None.

    Entries come in order, each with `sequence` (from 1), `previous_hash` and `entry_hash`. An end that was cut off
    does not show here: compare the last hash with one that was kept elsewhere.
    """
    previous = GENESIS
    for expected, entry in enumerate(entries, start=1):
        if not _follows(previous, expected, entry):
            return int(entry["sequence"])
        previous = entry["entry_hash"]
    return None


def _follows(previous: str, expected: int, entry: Mapping[str, Any]) -> bool:
    claimed = (entry["sequence"], entry["previous_hash"], entry["entry_hash"])
    return claimed == (expected, previous, entry_hash(previous, entry))
