"""Pages: one Jinja2 environment, one style, and the reader's words."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from domain.attachments import size_in_words
from notifications.language import HOME_ZONE, Words
from web.visitor import language_of

_HERE = Path(__file__).parent
CSS = (_HERE / "static" / "etappe.css").read_text(encoding="utf-8")


@lru_cache
def _templates() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters |= {"size": size_in_words, "first_capital": first_capital}
    environment.globals["css"] = Markup(CSS)  # noqa: S704  our own file
    return environment


def prepare() -> None:
    """Compile every page now instead of when somebody first asks for it."""
    for name in _templates().list_templates():
        _templates().get_template(name)


def first_capital(text: str) -> str:
    """Return a sentence, or a few words, with a capital at the beginning."""
    return text[:1].upper() + text[1:]


def page(
    template: str, words: Words, facts: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None
) -> HTMLResponse:
    """Return a page in these words. Everything in `facts` is escaped."""
    text = (
        _templates()
        .get_template(template)
        .render({"words": words, "_": words.text, "language": words.language, **facts})
    )
    return HTMLResponse(text, status, dict(headers or {}) | {"Content-Language": words.language})


def visitor_words(request: Request) -> Words:
    """Return the words for somebody who is not known, by their browser's language."""
    return Words(language_of(request), HOME_ZONE)


def notice(
    words: Words,
    title: str,
    sentences: tuple[str, ...],
    status: int,
    kept: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> HTMLResponse:
    """Return a page that says one thing. `kept` is what somebody typed and what would be lost otherwise."""
    facts = {"title": title, "sentences": sentences, "kept": kept or {}}
    return page("notice.html", words, facts, status, headers)
