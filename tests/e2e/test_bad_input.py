"""What people mistype: nothing is lost, nothing is half done, and one sentence says what to do."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from notifications.mailbox import StoredMail
from tests.e2e.conftest import PHONE
from tests.e2e.decision_pages import DecisionPage
from tests.e2e.inbox import Inbox, code_in
from tests.e2e.prefect_pages import RunForm
from tests.e2e.running import Running

LEA, ANNA, CARLA, DAVID = (
    f"{name}@example.com" for name in ("lea.brunner", "anna.keller", "carla.rossi", "david.meier")
)
TITLE = "Quiet hours"
REASON = "The phones cannot be silenced."


def wrong_code(mail: StoredMail) -> str:
    """A code that is not the one in the mail."""
    return f"{(int(code_in(mail)) + 1) % 1_000_000:06}"


@pytest.fixture(scope="module")
def asked(etappe: Running, inbox: Inbox) -> dict[str, StoredMail]:
    """The mails of a board that is asked about a policy."""
    etappe.start_rollout(plan="office-policy", title=TITLE, requester=LEA, inputs={"policy": "No calls after noon."})
    return {person: inbox.wait_for(to=person, title=TITLE) for person in (ANNA, CARLA, DAVID)}


@pytest.mark.parametrize("browser_runs_scripts", [True, False], ids=["with scripts", "without"])
def test_a_wrong_code_loses_nothing_and_a_no_needs_its_reason(
    open_page: Callable[..., Page], asked: dict[str, StoredMail], browser_runs_scripts: bool
) -> None:
    mail = asked[CARLA if browser_runs_scripts else DAVID]
    shown = DecisionPage(open_page(**PHONE, java_script_enabled=browser_runs_scripts), mail)
    shown.choose("abstain")
    shown.send()
    expect(shown.page.locator("#error-comment")).to_be_visible()

    shown.write(comment=REASON)
    shown.send(wrong_code(mail))
    expect(shown.page.locator("#error-code")).to_be_visible()
    expect(shown.page.locator("[name=comment]")).to_have_value(REASON)
    expect(shown.page.locator("[value=abstain]")).to_be_checked()

    shown.send()
    shown.says(REASON)
    assert shown.page.locator("form").count() == 0


def test_without_an_answer_the_browser_itself_asks_for_one(phone: Page, asked: dict[str, StoredMail]) -> None:
    shown = DecisionPage(phone, asked[ANNA])
    shown.send()
    assert shown.page.locator("input[name=decision]:invalid").count() > 0
    assert shown.page.locator("[role=alert]").count() == 0


def test_a_link_that_was_cut_off_says_so(phone: Page, etappe: Running) -> None:
    answer = phone.goto(f"{etappe.web_url}/decide/P3SmVR7kWdIjYrHqRntv")
    assert answer
    assert answer.status == 404
    expect(phone.locator("h1")).to_have_text("This link leads nowhere")


def test_what_only_the_database_knows_fails_the_run_with_one_sentence(desk: Page, etappe: Running) -> None:
    without_input = etappe.start_rollout(plan="office-policy", title="Never starts", requester=LEA)
    form = RunForm(desk, etappe)
    form.choices("plan")
    form.choose("plan", "office-policy")
    form.write("title", "Never starts either")
    form.write("requester", "nobody@example.com")
    form.write_json("inputs", {"policy": "Read me."})
    run = form.submit()
    for flow_run_id, what in ((run.flow_run_id, "nobody@example.com"), (without_input, "policy")):
        message = etappe.until(flow_run_id, "Refused")["state"]["message"]
        assert what in message
        assert "\n" not in message
    run.shows_state("Refused")
    run.tab("Details")
    expect(desk.locator("body")).to_contain_text("nobody@example.com")


def test_a_form_without_a_title_is_not_sent(desk: Page, etappe: Running) -> None:
    form = RunForm(desk, etappe)
    form.choices("plan")
    form.choose("plan", "office-policy")
    form.write("requester", "not an address")
    form.submit_in_vain()
    expect(desk.get_by_text("View run", exact=True)).to_have_count(0)
    expect(form.field("title")).to_contain_text("required")
