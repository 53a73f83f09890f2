"""Turns a typed mail into a subject, a text and an HTML page, in the reader's language.

A mail's template folder holds {de,en}/{subject.txt,body.txt,body.html}; templates/shared/ holds what they have in
common. A template may use the mail's fields, `words` and `_`, nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from domain.attachments import size_in_words
from notifications.language import HOME_ZONE, LANGUAGES, Words, to_translate
from notifications.messages import Mail

TEMPLATES = Path(__file__).parent / "templates"
_SHOWN_NAMES = 8
_SUBJECT_LENGTH = 116
_BLANK_LINES = re.compile(r"\n{3,}")


@dataclass(frozen=True)
class Rendered:
    """A mail as it is read: one line, a text that is complete by itself, and the same as a page."""

    subject: str
    text: str
    html: str


def render(mail: Mail) -> Rendered:
    """Write a mail. Raises jinja2.UndefinedError when a template uses what the mail does not have."""
    language = mail.reader.language if mail.reader.language in LANGUAGES else "en"
    words = Words(language, mail.reader.time_zone)
    facts = {field.name: getattr(mail, field.name) for field in fields(mail)}
    context = {**facts, **words.in_html(), "language": language}

    def written(name: str) -> str:
        return _environment().get_template(f"{mail.template}/{language}/{name}").render(context)

    urgently = f"{words.text('Urgent')}: " if mail.urgent else ""
    return Rendered(_one_line(urgently + written("subject.txt")), _tidy(written("body.txt")), written("body.html"))


def prepare() -> None:
    """Load and compile now whatever the first mails would: templates, translations, and how languages write dates."""
    environment = _environment()
    for name in environment.list_templates():
        environment.get_template(name)
    for language in LANGUAGES:
        words = Words(language, HOME_ZONE)
        words.text("Since {moment}", moment=datetime.now(UTC))
        words.text("Round {round}", round=1)


@lru_cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        autoescape=lambda name: name is not None and name.endswith(".html"),  # noqa: S701  # plain text has nothing to escape
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
        auto_reload=False,
    )
    environment.filters |= {
        "breaks": _breaks,
        "digits": _digits,
        "first_capital": _first_capital,
        "few_names": _few_names,
        "filled_in": _filled_in,
        "cut": _cut,
        "size": size_in_words,
    }
    return environment


def _one_line(text: str) -> str:
    return _cut(" ".join(text.split()), _SUBJECT_LENGTH)


def _tidy(text: str) -> str:
    lines = "\n".join(line.rstrip() for line in text.splitlines())
    return _BLANK_LINES.sub("\n\n", lines).strip() + "\n"


def _breaks(text: str) -> Markup:
    """Line breaks of a text that somebody typed, for HTML."""
    return Markup("<br>").join(escape(line) for line in text.splitlines())


def _digits(code: str) -> str:
    """A code in groups of three, easier to read and to type; the page ignores the blank."""
    return f"{code[:3]} {code[3:]}" if len(code) == 6 else code


def _first_capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _few_names(names: Iterable[str], words: Words) -> str:
    """The first names of a list, and how many more there are."""
    every = list(names)
    shown = ", ".join(every[:_SHOWN_NAMES])
    more = len(every) - _SHOWN_NAMES
    return words.text("{names} and {count} more", names=shown, count=more) if more > 0 else shown


def _filled_in(value: str, words: Words) -> str:
    """What somebody filled in; a box that was ticked is stored as an English word."""
    return (
        words.text({"yes": to_translate("yes"), "no": to_translate("no")}[value]) if value in ("yes", "no") else value
    )


def _cut(text: Any, length: int) -> str:
    """A text of at most so many characters, cut at a word where one ends late enough."""
    whole = str(text)
    if len(whole) <= length:
        return whole
    kept = whole[: length - 1]
    at_word, _, rest = kept.rpartition(" ")
    return f"{(at_word if len(rest) < 20 and at_word else kept).rstrip()}…"
