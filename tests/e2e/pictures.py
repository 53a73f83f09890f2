"""The pictures of the documentation, taken while the story happens."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page

from tests.e2e.running import eventually


def picture_of_decision(phone: Page, link: str, folder: Path) -> None:
    """Photograph the page behind a link, as a phone of ordinary width shows it."""
    before = phone.viewport_size
    assert before
    phone.set_viewport_size({"width": 390, "height": 844})
    phone.goto(link)
    phone.screenshot(path=folder / "decision-page.png")
    phone.set_viewport_size(before)


def picture_of_run(desk: Page, folder: Path, go_on: Callable[[], bool]) -> None:
    """Photograph the run's page in the middle of a rollout."""
    eventually(go_on, "the next requests")
    desk.screenshot(path=folder / "prefect-run.png")
