"""What a page showed, carried by its form, so that a change can be named. It proves nothing: the digest decides."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

from domain.attachments import size_in_words
from notifications.facts import Attached, Question
from notifications.language import Words

LARGEST = 128 * 1024
"""More than a page can show; what unpacks to more was not written by us."""


@dataclass(frozen=True)
class Change:
    """One thing that was shown differently; "" where it was not there."""

    label: str
    before: str
    after: str


def snapshot(words: Words, question: Question) -> dict[str, str]:
    """Return what an answer would be about, label by label, in the reader's words."""
    lines: list[tuple[str, str]] = [
        (words.text("Question"), question.question),
        (words.text("Explanation"), question.details),
        (words.text("Target"), question.target),
        (words.text("Answer"), question.changed.reply if question.changed else ""),
    ]
    lines += [(wish.name, wish.comment) for wish in question.wishes if question.purpose == "respond"]
    lines += [(one.title, one.value) for one in question.to_change or question.inputs]
    lines += [(words.text("Attachment"), _attached(one)) for one in question.attached]
    lines += [(line.item, words.money(line.amount, question.currency)) for line in question.budget]
    if question.budget_total is not None:
        lines.append((words.text("Total"), words.money(question.budget_total, question.currency)))
    lines += [(filled.title, filled.value) for filled in question.filled]
    joined: dict[str, str] = {}
    for label, text in lines:
        if text:
            joined[label] = f"{joined[label]}, {text}" if label in joined else text
    return joined


def _attached(one: Attached) -> str:
    """With the beginning of its digest: of two versions of a file, only that may differ."""
    return f"{one.name} ({one.url or f'{size_in_words(one.size)}, {one.digest[:8]}'})"


def packed(shown: Mapping[str, str]) -> str:
    """Return a snapshot as one line for a hidden field."""
    return base64.urlsafe_b64encode(zlib.compress(json.dumps(shown).encode(), 9)).decode()


def changes(packed_before: str, after: Mapping[str, str]) -> list[Change]:
    """Return what differs between a packed snapshot and `after`; nothing when it cannot be read."""
    before = _unpacked(packed_before)
    if before is None:
        return []
    labels = dict.fromkeys((*before, *after))
    return [
        Change(label, before.get(label, ""), after.get(label, ""))
        for label in labels
        if before.get(label, "") != after.get(label, "")
    ]


def _unpacked(text: str) -> dict[str, str] | None:
    try:
        plain = zlib.decompressobj().decompress(base64.urlsafe_b64decode(text.encode()), LARGEST)
        found = json.loads(plain)
    except (ValueError, zlib.error, RecursionError):
        return None
    return {str(label): str(value) for label, value in found.items()} if isinstance(found, dict) else None
