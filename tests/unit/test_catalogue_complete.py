"""Whatever Etappe says can be said in German, with the same facts."""

from __future__ import annotations

import ast

import pytest

from notifications.extract import _Module, find, placeholders, untranslated
from notifications.language import catalogue

FOUND = find()


def test_every_sentence_has_a_german_translation() -> None:
    missing = [f"{msgid!r} ({', '.join(FOUND.places[msgid])})" for msgid in untranslated(FOUND)]
    assert not missing, "python -m notifications.extract prints these as entries for locale/de.po:\n" + "\n".join(
        missing
    )


def test_every_reason_can_be_traced_to_its_sentence() -> None:
    assert not FOUND.lost


@pytest.mark.parametrize("msgid", sorted(catalogue("de")))
def test_a_translation_takes_the_facts_of_its_msgid(msgid: str) -> None:
    assert placeholders(catalogue("de")[msgid]) == placeholders(msgid)


@pytest.mark.parametrize("msgid", sorted(catalogue("de")))
def test_the_spelling_is_swiss(msgid: str) -> None:
    assert "ß" not in catalogue("de")[msgid]


@pytest.mark.parametrize(
    ("source", "sentences"),
    [
        ("def f():\n    return Reason('A.')", ["A."]),
        ("T = {1: 'A.', 2: 'B.'}\ndef f(x):\n    return Reason(T[x])", ["A.", "B."]),
        ("def f(x):\n    text = 'A.' if x else 'B.'\n    return Reason(text)", ["A.", "B."]),
        ("def f():\n    return g(1, 'A.')\ndef g(x, text):\n    return Reason(text)", ["A."]),
        ("def f(reason):\n    return Reason(reason.text)", []),
    ],
)
def test_sentences_are_followed_to_where_they_stand(source: str, sentences: list[str]) -> None:
    module = _Module(ast.parse(source))
    assert [text for call, scope in module.calls() for text in module.sentences(call.args[0], scope)] == sentences
