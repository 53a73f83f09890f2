"""The fields of conditions on the decision page: their names, what was typed into them, and how it is kept."""

from __future__ import annotations

from collections.abc import Mapping

from domain.conditions import TypedCondition, field_of
from notifications.language import Words

NUMBERS = (1, 2, 3)
"""The sets of fields on the page."""
PARTS = ("what", "who", "due", "stage")
FIELDS = tuple(field_of(number, part) for number in NUMBERS for part in PARTS)


def typed_conditions(typed: Mapping[str, str]) -> tuple[TypedCondition, ...]:
    """Return what was typed, one entry for each set of fields, empty ones included: their places are their numbers."""
    return tuple(TypedCondition(*(typed.get(field_of(number, part), "") for part in PARTS)) for number in NUMBERS)


def in_words(words: Words, typed: Mapping[str, str]) -> dict[str, str]:
    """Return what was typed, by label, for a page that has no form to keep it in."""
    return {
        words.text("Condition {number}", number=number): ", ".join(filter(None, (one.what, one.who, one.due_on)))
        for number, one in enumerate(typed_conditions(typed), start=1)
        if not one.is_empty
    }
