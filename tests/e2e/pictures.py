"""The pictures of the documentation, taken while the story happens."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import FloatRect, Page

MENU, TIMELINE = 256, 560


def picture_of_decision(phone: Page, link: str, folder: Path) -> None:
    """Photograph the page behind a link, as a phone of ordinary width shows it."""
    before = phone.viewport_size
    assert before
    phone.set_viewport_size({"width": 390, "height": 844})
    phone.goto(link)
    phone.screenshot(path=folder / "decision-page.png")
    phone.set_viewport_size(before)


def picture_of_run(desk: Page, folder: Path) -> None:
    """Photograph the run's page: its head, and the timeline above all, higher than usual so that it can be read."""
    before = desk.viewport_size
    assert before
    desk.set_viewport_size({"width": 1400 + MENU, "height": 1000})
    desk.reload()
    desk.add_style_tag(content=f".flow-run-graph__graph {{ height: {TIMELINE}px !important }}")
    desk.locator("canvas").wait_for()
    desk.wait_for_timeout(3000)  # the timeline moves into its place
    desk.get_by_title("Recenter graph").click()
    desk.wait_for_timeout(1500)
    box = desk.locator(".flow-run-graph__graph").bounding_box()
    assert box
    clip: FloatRect = {"x": MENU, "y": 0, "width": 1400, "height": box["y"] + box["height"] + 16}
    desk.screenshot(path=folder / "prefect-run.png", clip=clip)
    desk.set_viewport_size(before)
