"""The main job, end to end: from Prefect's form to a finished rollout, decided by links in mails.

Everybody acts as they would: the requester in Prefect's pages, the board on its phones. The many gates that follow are
answered over HTTP with the forms that their pages really have, and in the browser once for each kind of form.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

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
BEN, PROMISED = "ben.frei@example.com", "check the first ten answers"
IN_A_MONTH = (datetime.now(UTC) + timedelta(days=30)).date().isoformat()
PEOPLE = yaml.safe_load((CHECKOUT / "plans/people/sample.yaml").read_text(encoding="utf-8"))["people"]
PLAN = yaml.safe_load((CHECKOUT / "plans/social-media-introduction.yaml").read_text(encoding="utf-8"))
LANGUAGES = {person["email"]: person["language"] for person in PEOPLE}

_GATE_BAR = re.compile(r"Gate: (.*?)(?: \(\d+ of \d+\))?")

Browsing = Callable[[DecisionPage], None]


def fill_in_form(form: RunForm) -> None:
    """Fill in Prefect's form as a project lead would."""
    assert form.choices("plan") == ["office-policy", "social-media-introduction", "software-release"]
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
    assert shown.page.locator("[name=condition-1-what]").is_visible()
    assert shown.fits()
    shown.write(**{"condition-1-what": PROMISED, "condition-1-who": BEN, "condition-1-due": IN_A_MONTH})
    shown.send()
    shown.says("Your answer is recorded", f"{PROMISED} ({BEN}, {IN_A_MONTH})")


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


@dataclass
class Answering:
    """Everybody answers the requests that come: in the browser where it is the first of its kind."""

    inbox: Inbox
    rollout: str
    phone: Page
    answered: set[str]
    left: set[tuple[str, str]] = field(default_factory=lambda: set(IN_THE_BROWSER))

    def next(self, *only: str) -> bool:
        """Answer what has come since, or only what is asked at some gates; whether there was any."""
        come = self.inbox.mails(kind="request", rollout=self.rollout)
        new = [mail for mail in come if mail.key not in self.answered and (not only or gate_of(mail) in only)]
        for mail in sorted(new, key=lambda mail: (gate_of(mail), mail.recipient) not in self.left):
            if not self._waits_for_the_browser(mail):
                self._answer(mail)
        return bool(new)

    def _waits_for_the_browser(self, mail: StoredMail) -> bool:
        """Mails come in any order; the others at a gate must not settle it before the one in the browser has spoken."""
        gate = gate_of(mail)
        return (gate, mail.recipient) not in self.left and gate in {name for name, _ in self.left}

    def _answer(self, mail: StoredMail) -> None:
        self.answered.add(mail.key)
        way = (gate_of(mail), mail.recipient)
        if way in self.left:
            self.left.remove(way)
            IN_THE_BROWSER[way](DecisionPage(self.phone, mail))
        else:
            answer(mail)


def gate_of(mail: StoredMail) -> str:
    """The gate that a mail is about."""
    return mail.headers["X-Etappe-Gate"]


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
    assert f"{PROMISED} ({BEN}, {IN_A_MONTH})" in receipt.text
    for person, told in ((LEA, "Bestanden: Ja der Geschäftsleitung"), (PRIYA, "Passed: Executive sign-off")):
        assert len(inbox.news(told, rollout=rollout, to=person)) == 1
    assert inbox.mails(rollout=rollout, to="sofia.lang@example.com", kind="request", gate="budget-approval")


def everything_is_shown(etappe: Running, run: RunPage) -> None:
    """Prefect's page of the run: ended, every stage and gate a bar that has ended, and the table of gates."""
    run.shows_state("Completed")
    bars = etappe.bars(run.flow_run_id)
    assert set(bars.values()) == {"Passed"}
    stages = [stage["title"]["en"] for stage in PLAN["stages"]]
    planned = [gate["title"]["en"] for stage in PLAN["stages"] for gate in stage["gates"]]
    gates = [*planned, f"Condition: {PROMISED}"]
    assert sorted(name.partition(": ")[2] for name in bars if name.startswith("Stage")) == sorted(stages)
    assert sorted(found[1] for name in bars if (found := _GATE_BAR.fullmatch(name))) == sorted(gates)
    run.tab("Artifacts")
    run.page.get_by_role("link", name="gates-").first.click()
    expect(run.page.locator("table")).to_contain_text("Executive sign-off")
    expect(run.page.locator("table")).to_contain_text("Carla Rossi: approved with conditions")


def has_ended(etappe: Running, flow_run_id: str) -> bool:
    """Whether a flow run has ended, in whatever way."""
    ends = ("COMPLETED", "FAILED", "CANCELLED", "CRASHED")
    return etappe.prefect(f"flow_runs/{flow_run_id}")["state_type"] in ends


def picture_of_the_middle(etappe: Running, run: RunPage, people: Answering, pictures: Path) -> None:
    """Let some of the gates that stand side by side pass, and photograph the run's page."""
    gates = ("concept-review", "budget-approval", "adviser-review")
    wanted = {"Stage: Goals and a short concept", "Stage: Money besides people", "Stage: View from outside"}

    def passed() -> bool:
        run.page.wait_for_timeout(9000)  # so that the hours of the timeline stand apart
        people.next(*gates)
        return wanted <= {name for name, state in etappe.bars(run.flow_run_id).items() if state == "Passed"}

    eventually(passed, "the middle of the rollout")
    picture_of_run(run.page, pictures)


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
    people = Answering(inbox, rollout, phone, answered)
    if pictures:
        picture_of_the_middle(etappe, run, people, pictures)
    eventually(lambda: not people.next() and has_ended(etappe, flow_run_id), "the end of the rollout", 120)
    assert people.left == set()
    everything_is_shown(etappe, run)
    eventually(lambda: inbox.news("Bestanden: Auswertung der Welle 3", rollout=rollout, to=LEA), "the last outcome")
    everything_is_told(inbox, rollout)
