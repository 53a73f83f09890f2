"""A browser for the pages, with fake operations behind them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from models.database import Database
from operations.show_request import RequestPage
from settings import Settings
from tests.fakes_operations import CODE, DIGEST, NOW, TOKEN, FakeOperations
from web import condition_fields, decide, files, respond
from web.app import create_app

LINK = f"/decide/{TOKEN}"
TAGS = re.compile(r"<[^>]+>")


def installation(home: Path, **given: str) -> Settings:
    """Return the settings of an installation that lives in a folder."""
    return Settings.from_environment({"ETAPPE_HOME": str(home), **given})


def client(settings: Settings, *, host: str = "127.0.0.1", url: str = "http://127.0.0.1", **app: str) -> TestClient:
    """Return a browser at `host` that asks for `url`; nothing behind it raises into the test."""
    application = create_app(settings, Database("sqlite://"), now=lambda: NOW, **app)
    return TestClient(application, url, client=(host, 50000), raise_server_exceptions=False)


def fake_operations(patch: pytest.MonkeyPatch, **pages: RequestPage) -> FakeOperations:
    """Put fake operations behind the decision page: `page` at TOKEN, others at their names."""
    fake = FakeOperations({TOKEN if name == "page" else name: page for name, page in pages.items()})
    for verb in ("show_request", "addressee", "record_decision", "record_answers", "record_measurement_by_link"):
        patch.setattr(decide, verb, getattr(fake, verb))
    patch.setattr(respond, "answer_changes_by_link", fake.answer_changes_by_link)
    patch.setattr(files, "show_request", fake.show_request)
    return fake


def form(**typed: str) -> dict[str, str]:
    """Return a complete decision form, with some of it changed."""
    conditions = {name: "" for name in condition_fields.FIELDS if not name.endswith("stage")}
    return {"decision": "approve", "comment": "", **conditions, "code": CODE, "digest": DIGEST, **typed}


def text_of(html: str) -> str:
    """Return what a page says, without its tags and with single blanks."""
    body = html.partition("<body>")[2]
    return " ".join(TAGS.sub(" ", body).split())


class Page(HTMLParser):
    """The tags of a page with their attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        """Remember a tag."""
        self.tags.append((tag, dict(attributes)))

    def all(self, tag: str, **wanted: str) -> list[Mapping[str, str | None]]:
        """Return the attributes of every such tag."""
        found = [attributes for name, attributes in self.tags if name == tag]
        return [
            attributes for attributes in found if all(attributes.get(key) == value for key, value in wanted.items())
        ]


def conditions(number: int, **parts: str) -> dict[str, str]:
    """The fields of one condition."""
    return {f"condition-{number}-{part}": text for part, text in parts.items()}
