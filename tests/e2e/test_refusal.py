"""When somebody says no: the rollout is held, taken up again, and called off from Prefect's page."""

from __future__ import annotations

from playwright.sync_api import Page

from notifications.mailbox import StoredMail
from tests.e2e.decision_pages import DecisionPage, answer
from tests.e2e.inbox import Inbox
from tests.e2e.prefect_pages import RunForm, RunPage
from tests.e2e.running import Running, eventually

TITLE = "Dogs in the office"
LEA, ANNA, BEN = "lea.brunner@example.com", "anna.keller@example.com", "ben.frei@example.com"
REASON = "Zwei im Team haben eine Allergie."


def start(form: RunForm) -> RunPage:
    """Start an office policy from Prefect's form, with one person on the board."""
    form.choices("plan")
    form.choose("plan", "office-policy")
    form.write("title", TITLE)
    form.write("requester", LEA)
    form.write_json("people", {"executive-board": [ANNA]})
    form.write_json("inputs", {"policy": "One dog per room, after asking everybody in it."})
    return form.submit()


def reject(phone: Page, mail: StoredMail) -> None:
    """Say no on the phone, with a reason."""
    shown = DecisionPage(phone, mail)
    shown.says("One dog per room, after asking everybody in it.")
    shown.choose("reject")
    shown.write(comment=REASON)
    shown.send()
    shown.says("Ihre Antwort ist festgehalten", REASON)


def test_a_no_holds_the_rollout_until_it_is_taken_up_and_a_cancel_in_prefect_calls_it_off(
    etappe: Running, inbox: Inbox, desk: Page, phone: Page
) -> None:
    run = start(RunForm(desk, etappe))
    first = inbox.wait_for(to=ANNA, gate="policy-sign-off", title=TITLE)

    reject(phone, first)
    held = etappe.until(run.flow_run_id, "On hold")
    assert "Policy sign-off" in held["state"]["message"]
    assert REASON in held["state"]["message"]
    run.shows_state("On hold")
    assert etappe.bars(run.flow_run_id)["Stage: Approval"] == "On hold"
    assert REASON in inbox.wait_for(to=LEA, kind="digest", title=TITLE).text  # the outcome, and that it is on hold

    etappe.command("rollout", "resume", first.rollout, "--reason", "The dogs stay on the ground floor.", "--by", LEA)
    second = inbox.wait_for(to=ANNA, gate="policy-sign-off", title=TITLE, after=1)
    DecisionPage(phone, first).says("Ihre Antwort")
    assert answer(second)
    reading = inbox.wait_for(to=BEN, gate="policy-read", title=TITLE)

    desk.reload()
    run.cancel()
    told = eventually(lambda: _says_called_off(phone, reading), "the link saying that the rollout was called off")
    assert told
    assert inbox.wait_for(to=BEN, kind="information", title=TITLE)
    run.shows_state("Cancelled")


def _says_called_off(phone: Page, mail: StoredMail) -> bool:
    return "abgebrochen" in DecisionPage(phone, mail).page.locator("h1").inner_text()
