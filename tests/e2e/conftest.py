"""One Etappe for all stories of this folder, and one Chromium, whose pages are watched for errors."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Response,
    WebError,
    expect,
    sync_playwright,
)

from settings import CHECKOUT
from tests.e2e.inbox import Inbox
from tests.e2e.running import Running, run_etappe

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
         "--disable-sync", "--no-first-run"]  # fmt: skip
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
DESK: dict[str, Any] = {"viewport": {"width": 1400, "height": 1000}}
PHONE: dict[str, Any] = {
    "viewport": {"width": 360, "height": 740}, "device_scale_factor": 2, "is_mobile": True, "has_touch": True,
}  # fmt: skip


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the story renew the pictures of the documentation: pytest tests/e2e --pictures."""
    parser.addoption("--pictures", action="store_true", help="write docs/pictures/ anew")


@dataclass
class Watch:
    """What went wrong: no answer of 5xx anywhere, and no error in our own pages.

    A page of ours that says no has a status of 4xx, which the browser notes as an error; that one is meant.
    """

    own: str
    errors: list[str] = field(default_factory=list)

    def over(self, context: BrowserContext) -> None:
        """Watch every page of a context."""
        context.on("response", self._response)
        context.on("console", self._console)
        context.on("weberror", self._error)

    def _error(self, error: WebError) -> None:
        if error.page and error.page.url.startswith(self.own):
            self.errors.append(str(error.error))

    def _response(self, response: Response) -> None:
        if response.status >= 500:
            self.errors.append(f"{response.status} {response.url}")

    def _console(self, message: ConsoleMessage) -> None:
        refused = message.text.startswith("Failed to load resource") and "/decide/" in message.location["url"]
        if message.type == "error" and message.location["url"].startswith(self.own) and not refused:
            self.errors.append(f"{message.text} at {message.location['url']}")


@pytest.fixture(scope="package")
def etappe(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A whole Etappe, as `etappe start` runs it."""
    with run_etappe(tmp_path_factory.mktemp("e2e") / "home") as running:
        yield running


@pytest.fixture(scope="package")
def inbox(etappe: Running) -> Inbox:
    """The mails that came."""
    return Inbox(etappe.home / "mailbox")


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """The Chromium of this machine."""
    program = next(filter(None, map(shutil.which, NAMES)), None)
    assert program, "no Chromium on this machine; scripts/chromium installs it"
    expect.set_options(timeout=20_000)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def open_page(browser: Browser, etappe: Running) -> Iterator[Callable[..., Page]]:
    """Open pages of browsers that know nothing of each other; at the end none of them has seen an error."""
    watch = Watch(etappe.web_url)
    contexts: list[BrowserContext] = []

    def opened(**how: Any) -> Page:
        context = browser.new_context(**how)
        contexts.append(context)
        watch.over(context)
        return context.new_page()

    yield opened
    for context in contexts:
        context.close()
    assert watch.errors == []


@pytest.fixture
def desk(open_page: Callable[..., Page]) -> Page:
    """A page on a desk."""
    return open_page(**DESK)


@pytest.fixture
def phone(open_page: Callable[..., Page]) -> Page:
    """A page on a small phone."""
    return open_page(**PHONE)


@pytest.fixture(scope="package")
def pictures(request: pytest.FixtureRequest) -> Path | None:
    """Where the pictures of the documentation go, when they are to be renewed."""
    return CHECKOUT / "docs" / "pictures" if request.config.getoption("--pictures", default=False) else None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Function) -> Any:
    """Keep how the pages looked when a story failed, where pytest keeps its temporary files."""
    report = yield
    etappe = item.funcargs.get("etappe")
    if report.failed and report.when == "call" and isinstance(etappe, Running):
        pages = [value for value in item.funcargs.values() if isinstance(value, Page)]
        for number, page in enumerate(pages):
            page.screenshot(path=etappe.home.parent / f"{item.name}-{number}.png", full_page=True)
    return report
