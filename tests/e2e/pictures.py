"""The pictures of the documentation, taken while the story happens."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page

MENU, WIDTH = 256, 1400
HIGHER_TIMELINE = """addEventListener("DOMContentLoaded", () => {
  const style = document.createElement("style")
  style.textContent = ".flow-run-graph, .flow-run-graph__graph, .run-graph__stage { height: 560px !important }"
  document.head.append(style)
})"""


def picture_of_decision(phone: Page, link: str, folder: Path) -> None:
    """Photograph the page behind a link, as a phone of ordinary width shows it."""
    before = phone.viewport_size
    assert before
    phone.set_viewport_size({"width": 390, "height": 844})
    phone.goto(link)
    phone.screenshot(path=folder / "decision-page.png")
    phone.set_viewport_size(before)


def picture_of_run(desk: Page, folder: Path) -> None:
    """Photograph the run's page: its head, and the timeline, higher than usual so that all of it can be read."""
    before = desk.viewport_size
    assert before
    desk.set_viewport_size({"width": WIDTH + MENU, "height": 1000})
    desk.add_init_script(HIGHER_TIMELINE)
    desk.reload()
    desk.locator("canvas").wait_for()
    desk.wait_for_timeout(4000)  # the timeline moves into its place
    box = desk.locator(".run-graph").bounding_box()
    assert box
    height = box["y"] + box["height"] + 16
    desk.screenshot(path=folder / "prefect-run.png", clip={"x": MENU, "y": 0, "width": WIDTH, "height": height})
    desk.set_viewport_size(before)
