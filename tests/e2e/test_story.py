"""The main job, end to end: from Prefect's form to a finished rollout, decided by links in mails.

Everybody acts as they would: the requester in Prefect's pages, the board on its phones. The many gates that follow are
answered over HTTP with the forms that their pages really have, and in the browser once for each kind of form.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from playwright.sync_api import Page, expect

from notifications.mailbox import StoredMail
from settings import CHECKOUT
from tests.e2e.decision_pages import MEASURED, DecisionPage, answer
from tests.e2e.inbox import Inbox, code_in, link_in
from tests.e2e.pictures import picture_of_decision, picture_of_run
from tests.e2e.prefect_pages import RunForm, RunPage
from tests.e2e.running import Running, eventually

TITLE = "Social media at Muster Ltd"
LEA, PRIYA = "lea.brunner@example.com", "priya.nair@example.com"
ANNA, CARLA, DAVID = "anna.keller@example.com", "carla.rossi@example.com", "david.meier@example.com"
PEOPLE = yaml.safe_load((CHECKOUT / "plans/people/sample.yaml").read_text(encoding="utf-8"))["people"]
LANGUAGES = {person["email"]: person["language"] for person in PEOPLE}

Browsing = Callable[[DecisionPage], None]


def fill_in_form(form: RunForm) -> None:
    """Fill in Prefect's form as a project lead would."""
    assert form.choices("plan") == ["office-policy", "social-media-introduction"]
    form.choose("plan", "social-media-introduction")
    form.write("title", TITLE)
    form.write("requester", LEA)
    form.write("owner", PRIYA)
    form.add_to_budget("Monitoring", "12000")
    form.add_to_budget("Campaigns and pictures", "18500.50")


def open_mail(page: Page, etappe: Running, mail: StoredMail) -> None:
    """Find a mail in the mailbox by its recipient, open it, and see link and code in both of its forms."""
    page.goto(f"{etappe.web_url}/mailbox")
    page.get_by_label("Recipient").fill(mail.recipient)
    page.get_by_role("button", name="Show").click()
    page.get_by_role("link", name=mail.subject).first.click()
    expect(page.get_by_role("heading", name=mail.subject)).to_be_visible()
    code = f"{code_in(mail)[:3]} {code_in(mail)[3:]}"
    expect(page.locator(".mail-text")).to_contain_text(code)
    expect(page.locator(f".mail-text a[href='{link_in(mail)}']")).to_be_visible()
    html = page.frame_locator("iframe.mail-html").locator("body")
    expect(html).to_contain_text(code)
    expect(html.locator(f"a[href='{link_in(mail)}']").first).to_be_visible()


def approve(shown: DecisionPage) -> None:
    """Approve on the phone: nothing is chosen beforehand, and the same link tells later what was recorded."""
    assert shown.page.locator("input:checked").count() == 0
    assert shown.fits()
    shown.choose("approve")
    shown.send()
    shown.says("Ihre Antwort ist festgehalten")
    assert shown.fits()
    again = DecisionPage(shown.page, shown.mail)
    again.says("Ihre Antwort ist festgehalten", "Ja, freigeben")


def approve_with_conditions(shown: DecisionPage) -> None:
    """Approve, but on conditions, and see them recorded."""
    shown.says("Lea Brunner", "1 of 3 needed voices", "Anna Keller")
    shown.choose("approve-with-conditions")
    shown.write(conditions="Ben Frei checks the first ten answers, by the end of January.")
    shown.send()
    shown.says("Your answer is recorded", "Ben Frei checks the first ten answers")


def fill_in_list(shown: DecisionPage) -> None:
    """Fill in the list of people and hours; less than the minimum is refused, and what was typed stays."""
    shown.fill_list()
    shown.write(**{"item-hours": "Lea Brunner: 8\nBen Frei: 1"})
    shown.send()
    expect(shown.page.locator(".wrong [name=item-hours]")).to_have_value("Lea Brunner: 8\nBen Frei: 1")
    shown.write(**{"item-hours": "Lea Brunner: 8\nBen Frei: 6"})
    shown.send()
    shown.says("Die Liste ist festgehalten")


def measure(shown: DecisionPage) -> None:
    """Type a measured value."""
    shown.write(**MEASURED[shown.mail.headers["X-Etappe-Gate"]])
    shown.send()
    shown.says("Der Wert ist festgehalten")


def acknowledge(shown: DecisionPage) -> None:
    """Confirm that it was read, and say something."""
    shown.choose("approve")
    shown.write(comment="The shop in Bern has had a page of its own since May.")
    shown.send()
    shown.says("Your confirmation is recorded")


def review(shown: DecisionPage) -> None:
    """Let it go on, with what was learned."""
    shown.choose("approve")
    shown.write(lessons="Questions come in the evening.")
    shown.send()
    shown.says("Your answer is recorded")


IN_THE_BROWSER: dict[tuple[str, str], Browsing] = {
    ("staffing-list", LEA): fill_in_list,
    ("pilot-satisfaction", LEA): measure,
    ("announcement-read", "james.wright@example.com"): acknowledge,
    ("pilot-review", "james.wright@example.com"): review,
}


def answer_next(inbox: Inbox, rollout: str, answered: set[str], phone: Page, left: set[Any]) -> bool:
    """Answer the requests that have come since: in the browser where this is the first of its kind."""
    new = [mail for mail in inbox.mails(kind="request", rollout=rollout) if mail.key not in answered]
    for mail in new:
        answered.add(mail.key)
        way = (mail.headers["X-Etappe-Gate"], mail.recipient)
        if way in left:
            left.remove(way)
            IN_THE_BROWSER[way](DecisionPage(phone, mail))
        else:
            answer(mail)
    return bool(new)


def in_the_readers_language(mails: list[StoredMail]) -> None:
    """See that everybody is written to in their own language."""
    assert {mail.recipient for mail in mails} <= set(LANGUAGES)
    wrong = [mail for mail in mails if mail.headers["Content-Language"] != LANGUAGES[mail.recipient]]
    assert wrong == []


def the_board_says_yes(etappe: Running, inbox: Inbox, desk: Page, phone: Page, pictures: Path | None) -> set[str]:
    """The executive board decides: one on the phone, one with conditions, one by hand."""
    first = inbox.wait_for(to=ANNA, gate="executive-sign-off", title=TITLE)
    open_mail(desk, etappe, first)
    if pictures:
        picture_of_decision(phone, link_in(inbox.wait_for(to=CARLA, title=TITLE)), pictures)
    approve(DecisionPage(phone, first))
    second = inbox.wait_for(to=CARLA, gate="executive-sign-off", title=TITLE)
    approve_with_conditions(DecisionPage(phone, second))
    third = inbox.wait_for(to=DAVID, gate="executive-sign-off", title=TITLE)
    assert answer(third)
    return {first.key, second.key, third.key}


def everything_is_told(inbox: Inbox, rollout: str) -> None:
    """Receipts for those who answered, outcomes for requester and owner, each in the reader's language."""
    inbox_of = inbox.mails(rollout=rollout)
    in_the_readers_language(inbox_of)
    [receipt] = inbox.mails(rollout=rollout, to=CARLA, kind="receipt", gate="executive-sign-off")
    assert "Ben Frei checks the first ten answers" in receipt.text
    for person, told in ((LEA, "Ja der Geschäftsleitung"), (PRIYA, "Executive sign-off")):
        [outcome] = inbox.mails(rollout=rollout, to=person, kind="outcome", gate="executive-sign-off")
        assert told in outcome.subject
    assert inbox.mails(rollout=rollout, to="sofia.lang@example.com", kind="request", gate="budget-approval")


def everything_is_shown(etappe: Running, run: RunPage) -> None:
    """Prefect's page of the run: ended, every stage and gate a bar that has ended, and the table of gates."""
    run.shows_state("Completed")
    bars = etappe.bars(run.flow_run_id)
    assert set(bars.values()) == {"Passed"}
    assert [sum(name.startswith(kind) for name in bars) for kind in ("Stage", "Gate")] == [11, 15]
    run.tab("Artifacts")
    run.page.get_by_role("link", name="gates-").first.click()
    expect(run.page.locator("table")).to_contain_text("Executive sign-off")
    expect(run.page.locator("table")).to_contain_text("Carla Rossi: approve with conditions")


@pytest.mark.slow
def test_a_rollout_from_prefects_form_to_its_end(
    etappe: Running, inbox: Inbox, desk: Page, phone: Page, open_page: Callable[..., Page], pictures: Path | None
) -> None:
    form = RunForm(desk, etappe)
    fill_in_form(form)
    run = form.submit()
    flow_run_id = run.flow_run_id
    answered = the_board_says_yes(etappe, inbox, open_page(), phone, pictures)
    rollout = inbox.wait_for(to=ANNA, title=TITLE).rollout
    left = set(IN_THE_BROWSER)
    if pictures:
        picture_of_run(desk, pictures, lambda: answer_next(inbox, rollout, answered, phone, left))
    eventually(
        lambda: (
            not answer_next(inbox, rollout, answered, phone, left)
            and etappe.prefect(f"flow_runs/{flow_run_id}")["state_type"]
            in ("COMPLETED", "FAILED", "CANCELLED", "CRASHED")
        ),
        "the end of the rollout",
        120,
    )
    assert left == set()
    everything_is_shown(etappe, run)
    eventually(
        lambda: inbox.mails(rollout=rollout, to=LEA, kind="outcome", gate="wave-three-review"), "the last outcome"
    )
    everything_is_told(inbox, rollout)
