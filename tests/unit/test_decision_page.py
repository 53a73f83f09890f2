"""The decision page: looking changes nothing, it says all that one needs to know, and hands on what was typed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from fastapi.testclient import TestClient

from domain.conditions import TypedCondition
from notifications.facts import LaterStage, Reader
from tests.fakes_operations import (
    ANNA,
    DIGEST,
    JOHN,
    FakeOperations,
    budget_page,
    checklist_page,
    confirm_page,
    decide_page,
    filled_page,
    measure_page,
    respond_page,
    review_page,
)
from tests.unit.web_client import LINK, Page, conditions, fake_operations, form, text_of

OPEN_PAGES = {
    "decide": decide_page,
    "budget": budget_page,
    "review": review_page,
    "answer": checklist_page,
    "confirm": confirm_page,
    "measure": measure_page,
    "filled": filled_page,
    "respond": respond_page,
}


@pytest.mark.parametrize("reader", [ANNA, JOHN], ids=lambda reader: reader.language)
@pytest.mark.parametrize("make", OPEN_PAGES.values(), ids=OPEN_PAGES)
def test_every_purpose_has_a_page_with_one_button_and_nothing_preset(
    browser: TestClient, monkeypatch: pytest.MonkeyPatch, make: Any, reader: Reader
) -> None:
    fake_operations(monkeypatch, page=make(reader))
    answer = browser.get(LINK)
    page = Page(answer.text)
    assert answer.status_code == 200
    assert page.all("html") == [{"lang": reader.language}]
    assert len(page.all("button")) == 1
    preset = [tag["name"] or "" for tag in page.all("input") if "checked" in tag]
    assert [name for name in preset if not name.startswith("input-")] == []  # inputs are shown as they are
    assert page.all("input", name="digest", type="hidden")[0]["value"] == DIGEST
    assert page.all("script") == []


@pytest.mark.parametrize("make", OPEN_PAGES.values(), ids=OPEN_PAGES)
def test_every_field_has_a_label(browser: TestClient, monkeypatch: pytest.MonkeyPatch, make: Any) -> None:
    fake_operations(monkeypatch, page=make())
    page = Page(browser.get(LINK).text)
    labelled = {label["for"] for label in page.all("label") if "for" in label}
    fields = [field for kind in ("text", "date", "file") for field in page.all("input", type=kind)]
    fields += page.all("textarea") + page.all("select")
    assert {field["id"] for field in fields} == labelled


def test_head_is_get_without_a_body_and_neither_changes_anything(browser: TestClient, fake: FakeOperations) -> None:
    shown, head = browser.get(LINK), browser.head(LINK)
    assert head.status_code == shown.status_code == 200
    assert {**head.headers} == {**shown.headers}
    assert head.content == b""
    assert fake.recorded == []


def test_the_page_says_all_that_a_person_needs_to_know(browser: TestClient, fake: FakeOperations) -> None:
    told = text_of(browser.get(LINK).text)
    for fact in ("Social Media 2027", "Executive sign-off", "Geschäftsleitung", "22 December 2026", "Rita Meier",
                 "1 of 3 needed voices", "Ben Frei : approved with conditions", "Legal checks the texts",
                 "Carla Rossi and you", "put on hold", "oskar.huber@example.com"):  # fmt: skip
        assert fact in told


def test_an_urgent_question_says_so(browser: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    page = decide_page()
    fake_operations(monkeypatch, page=replace(page, question=replace(page.question, urgent=True)))
    assert f"<h1>Urgent: {page.question.gate_title}</h1>" in browser.get(LINK).text


def test_the_code_field_suits_a_phone(browser: TestClient, fake: FakeOperations) -> None:
    [code] = Page(browser.get(LINK).text).all("input", name="code")
    assert (code["inputmode"], code["autocomplete"]) == ("numeric", "one-time-code")
    assert int(code["maxlength"] or 0) >= len("493 017")


def test_a_decision_is_handed_on_as_typed_and_answered_with_what_was_recorded(
    browser: TestClient, fake: FakeOperations
) -> None:
    answer = browser.post(LINK, data=form(decision="reject", comment=" Zu früh.\r\nWirklich. "))
    [(verb, typed)] = fake.recorded
    assert answer.status_code == 200
    assert verb == "decision"
    assert (typed["decision"], typed["comment"], typed["code"]) == ("reject", " Zu früh.\nWirklich. ", "493 017")
    assert "Your answer is recorded" in text_of(answer.text)


def test_a_multipart_form_is_read_as_well(browser: TestClient, fake: FakeOperations) -> None:
    assert browser.post(LINK, files={name: (None, value) for name, value in form().items()}).status_code == 200
    assert len(fake.recorded) == 1


def test_conditions_are_handed_on_in_their_places(browser: TestClient, fake: FakeOperations) -> None:
    first = conditions(1, what="Texts", who="ben@example.com", due="2026-12-31", stage="wave-one")
    third = conditions(3, what="Budget", who="x", due="y", stage="pilot")
    answer = browser.post(LINK, data=form(decision="approve-with-conditions", **first, **third))
    [(_, typed)] = fake.recorded
    assert answer.status_code == 200
    assert typed["conditions"] == (
        TypedCondition("Texts", "ben@example.com", "2026-12-31", "wave-one"),
        TypedCondition(),
        TypedCondition("Budget", "x", "y", "pilot"),
    )


def test_with_one_later_stage_there_is_nothing_to_choose_and_it_is_named(
    browser: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_operations(monkeypatch, page=decide_page(condition_stages=(LaterStage("pilot", "Pilot"),)))
    answer = browser.get(LINK)
    assert Page(answer.text).all("select") == []
    assert "before the stage “Pilot” can end" in text_of(answer.text)


def test_where_no_stage_comes_after_there_are_no_fields_for_conditions(
    browser: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = decide_page(condition_stages=(), choices=("approve", "reject"))
    fake_operations(monkeypatch, page=page)
    answer = browser.get(LINK).text
    assert 'name="condition-' not in answer
    assert "with conditions" not in text_of(answer.partition("<form")[2])


def test_a_list_is_handed_on_by_item(browser: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = fake_operations(monkeypatch, page=checklist_page())
    typed = {"item-people": "Ada\r\nBea", "item-affinity": "yes", "code": "1", "digest": DIGEST}
    assert browser.post(LINK, data=typed).status_code == 200
    assert fake.recorded[0][1]["fields"] == {"people": "Ada\nBea", "affinity": "yes"}


def test_a_measurement_is_handed_on(browser: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = fake_operations(monkeypatch, page=measure_page())
    assert browser.post(LINK, data={"value": "12,5", "sample": "", "code": "1", "digest": DIGEST}).status_code == 200
    assert fake.recorded == [("measurement", {"value": "12,5", "sample": "", "code": "1", "digest": DIGEST})]


def test_a_confirmation_is_an_approval(browser: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = fake_operations(monkeypatch, page=confirm_page())
    typed = {"decision": "approve", "comment": "Ja, wir", "code": "1", "digest": DIGEST}
    assert browser.post(LINK, data=typed).status_code == 200
    assert fake.recorded[0][1]["decision"] == "approve"
