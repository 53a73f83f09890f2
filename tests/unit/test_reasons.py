"""A reason is a sentence and its facts, so that it can be said in another language later."""

from __future__ import annotations

import pytest

from domain.reasons import Reason


def test_the_facts_fill_the_sentence() -> None:
    assert str(Reason("{count} of {needed} have said yes.", {"count": 1, "needed": 3})) == "1 of 3 have said yes."


def test_braces_in_a_fact_stay_as_they_are() -> None:
    assert str(Reason("{name} is excluded.", {"name": "{needed}"})) == "{needed} is excluded."


def test_a_fact_that_is_missing_is_an_error_and_not_a_gap() -> None:
    with pytest.raises(KeyError):
        str(Reason("{name} is excluded."))


def test_the_same_sentence_with_other_facts_is_another_reason() -> None:
    assert Reason("{n}", {"n": 1}) == Reason("{n}", {"n": 1})
    assert Reason("{n}", {"n": 1}) != Reason("{n}", {"n": 2})
    assert len({Reason("{n}", {"n": 1}), Reason("{n}", {"n": 1})}) == 1


def test_what_was_stored_is_read_again() -> None:
    reason = Reason("{n} of {m}", {"n": 1, "m": "all"})
    assert Reason.from_json(reason.to_json()) == reason
    assert reason.to_json() == {"text": "{n} of {m}", "facts": {"n": 1, "m": "all"}}
