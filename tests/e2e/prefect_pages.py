"""Prefect's pages, as far as Etappe's people use them: the form of a new rollout, and the page of a run."""

from __future__ import annotations

import json
import re
from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.e2e.running import Running

_FIELD = '.schema-form-property:has(> .p-label__header .schema-form-property__label:text-matches("^{name}( |$)", "i"))'


class RunForm:
    """The form behind “Run → Custom run” of the deployment rollout/start."""

    def __init__(self, page: Page, etappe: Running) -> None:
        self.page = page
        page.goto(etappe.deployment_page)
        page.get_by_role("button", name="Run", exact=True).click()
        page.get_by_text("Custom run", exact=True).click()
        expect(page.get_by_role("button", name="Submit", exact=True)).to_be_visible()

    def field(self, name: str, inside: Locator | None = None) -> Locator:
        """A field by its name."""
        return (inside or self.page.locator("form")).locator(_FIELD.format(name=name))

    def choices(self, name: str) -> list[str]:
        """Open a drop-down; return what it offers."""
        # Prefect's drop-downs take a click on their text twice, which closes them again; the arrow opens them.
        self.field(name).locator(".p-select-button__icon").click()
        options = self.page.get_by_role("option")
        expect(options.first).to_be_visible()
        return options.all_inner_texts()

    def choose(self, name: str, option: str) -> None:
        """Choose from a drop-down that is open."""
        self.page.get_by_role("option", name=option, exact=True).click()
        expect(self.field(name)).to_contain_text(option)

    def write(self, name: str, text: str) -> None:
        """Write into a field of text."""
        self.field(name).locator("textarea").fill(text)

    def write_json(self, name: str, value: Any) -> None:
        """Write into a field that takes JSON."""
        self.write(name, json.dumps(value))

    def add_to_budget(self, item: str, amount: str) -> None:
        """Add a line to the budget."""
        budget = self.field("budget")
        lines = budget.locator(".schema-form-property-array-item")
        number = lines.count()
        budget.get_by_role("button", name="Add item", exact=True).click()
        expect(lines).to_have_count(number + 1)
        self.field("item", lines.nth(number)).locator("textarea").fill(item)
        self.field("amount", lines.nth(number)).locator("input").fill(amount)

    def submit(self) -> RunPage:
        """Press Submit, and follow to the page of the run."""
        self.page.get_by_role("button", name="Submit", exact=True).click()
        self.page.get_by_text(
            "View run", exact=True
        ).last.click()  # Prefect shows this toast twice, one above the other
        self.page.wait_for_url(re.compile(r"/runs/flow-run/"))
        return RunPage(self.page)

    def submit_in_vain(self) -> None:
        """Press Submit on a form with something wrong; it stays."""
        self.page.get_by_role("button", name="Submit", exact=True).click()


class RunPage:
    """The page of a run."""

    def __init__(self, page: Page) -> None:
        self.page = page

    @property
    def flow_run_id(self) -> str:
        """The flow run's id, from the address."""
        return self.page.url.rpartition("/")[2].partition("?")[0]

    def shows_state(self, name: str) -> None:
        """See that the page says in which state the run is; the page renews itself, now and then."""
        self.page.reload()
        expect(self.page.locator(".state-badge").first).to_have_text(name)

    def tab(self, name: str) -> None:
        """Open a tab."""
        self.page.get_by_role("tab", name=name, exact=True).or_(self.page.get_by_text(name, exact=True)).first.click()

    def cancel(self) -> None:
        """Press Cancel, and confirm it."""
        self.page.get_by_role("button", name="Cancel", exact=True).click()
        self.page.get_by_role("button", name="Confirm", exact=True).click()
