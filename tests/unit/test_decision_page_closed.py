"""The decision page of what is no longer asked, or of no request at all: it says why, and what was recorded."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from fastapi.testclient import TestClient

from domain.errors import GateSettled, LinkVoid
from domain.states import DecisionKind, GateState, Outcome
from models.requests import RequestState, VoidReason
from notifications.facts import Line, Reader
from notifications.language import Words
from operations.show_request import RequestPage
from tests.fakes_operations import (
    ANNA,
    JOHN,
    NOW,
    FakeOperations,
    budget_page,
    decide_page,
    done_page,
    review_page,
    said,
    settlement,
    void_page,
)
from tests.unit.web_client import LINK, Page, conditions, fake_operations, form, text_of
from web import condition_fields
from web.wording import NO_CONSENT, VOID_SENTENCES, VOID_TITLES

HOSTILE = "<script>alert(1)</script>\"'&{x}"


def test_conditions_that_came_too_late_are_kept_for_the_reader(
    browser: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = fake_operations(monkeypatch, page=void_page(VoidReason.SETTLED, settlement=settlement()))
    fake.refusal = GateSettled()
    typed = conditions(2, what="Texts", who="ben@example.com", due="2026-12-31")
    told = text_of(browser.post(LINK, data=form(decision="approve-with-conditions", **typed)).text)
    assert "Condition 2 Texts, ben@example.com, 2026-12-31" in told


def test_a_condition_that_was_not_met_stops_a_stage_only_once_it_opens(
    browser: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    settled = replace(settlement(GateState.REJECTED, Outcome.HOLD), stage_waits=True)
    fake_operations(monkeypatch, page=done_page(settlement=settled))
    told = text_of(browser.get(LINK).text)
    assert "Its stage is put on hold as soon as it opens" in told
    assert "The stage is on hold" not in told


@pytest.mark.parametrize("reader", [ANNA, JOHN], ids=lambda reader: reader.language)
def test_where_silence_would_have_been_consent_an_expired_link_does_not_say_the_contrary(
    browser: TestClient, monkeypatch: pytest.MonkeyPatch, reader: Reader
) -> None:
    settled = settlement(GateState.EXPIRED, Outcome.HOLD)
    page = void_page(VoidReason.EXPIRED, reader, settlement=settled, silence_is_consent=True)
    fake_operations(monkeypatch, page=page)
    told = text_of(browser.get(LINK).text)
    assert Words(reader.language, "UTC").text(NO_CONSENT) in told
    assert Words(reader.language, "UTC").text(VOID_SENTENCES[VoidReason.EXPIRED]) not in told


def test_a_late_decision_is_told_who_decided_what_and_when(
    browser: TestClient, fake: FakeOperations, monkeypatch: pytest.MonkeyPatch
) -> None:
    def settled_meanwhile(*_: object) -> RequestPage:
        fake.pages[LINK.removeprefix("/decide/")] = void_page(VoidReason.SETTLED, settlement=settlement())
        raise GateSettled

    monkeypatch.setattr("web.decide.record_decision", settled_meanwhile)
    answer = browser.post(LINK, data=form(comment="Mein Text"))
    told = text_of(answer.text)
    assert answer.status_code == 409
    for fact in (
        "came too late and was not recorded",
        "The gate has passed.",
        "Ben Frei",
        "24 November 2026",
        "Mein Text",
    ):
        assert fact in told


@pytest.mark.parametrize("reader", [ANNA, JOHN], ids=lambda reader: reader.language)
@pytest.mark.parametrize("reason", list(VoidReason))
def test_every_void_link_says_why_in_both_languages(
    browser: TestClient, monkeypatch: pytest.MonkeyPatch, reason: VoidReason, reader: Reader
) -> None:
    settled = settlement(GateState.EXPIRED if reason is VoidReason.EXPIRED else GateState.PASSED)
    fake_operations(monkeypatch, page=void_page(reason, reader, settlement=settled))
    answer = browser.get(LINK)
    title = VOID_TITLES[reason]
    assert answer.status_code == 410
    assert Words(reader.language, "UTC").text(title) in text_of(answer.text)
    assert (title in text_of(answer.text)) is (reader.language == "en")
    assert Page(answer.text).all("form") == []


def test_a_list_that_somebody_else_has_filled_in_is_not_called_decided(
    browser: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_operations(monkeypatch, page=void_page(VoidReason.SETTLED))
    told = text_of(browser.get(LINK).text)
    assert "Somebody else has done this already" in told
    assert "decided already" not in told


def test_what_was_in_fact_approved_is_never_called_expired(
    browser: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_operations(monkeypatch, page=void_page(VoidReason.EXPIRED, settlement=settlement(GateState.PASSED)))
    told = text_of(browser.get(LINK).text)
    assert "This has been decided already" in told
    assert "Time was up" not in told


@pytest.mark.parametrize(("language", "title"), [("de-CH,de;q=0.9", "Der gültige Link"), ("fr", "A newer mail")])
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_renewed_link_says_that_a_newer_mail_holds_the_valid_one(
    browser: TestClient, monkeypatch: pytest.MonkeyPatch, language: str, title: str, method: str
) -> None:
    def renewed(*_: object) -> RequestPage:
        raise LinkVoid(VoidReason.RENEWED, NOW)

    monkeypatch.setattr("web.decide.show_request", renewed)
    monkeypatch.setattr("web.decide.addressee", renewed)
    answer = browser.request(method, LINK, headers={"accept-language": language})
    assert answer.status_code == 410
    assert title in text_of(answer.text)


@pytest.mark.parametrize("path", ["/decide/half-a-link", "/decide/", "/decide", "/decide/a/b", "/decide/%00%ff"])
@pytest.mark.parametrize(
    ("language", "told"), [("de", "Mailprogramme schneiden"), ("en", "Mail programs sometimes cut")]
)
def test_a_mutilated_link_is_explained(
    browser: TestClient, fake: FakeOperations, path: str, language: str, told: str
) -> None:
    for method in ("GET", "POST"):
        answer = browser.request(method, path, headers={"accept-language": language})
        assert answer.status_code == 404
        assert told in text_of(answer.text)
    assert browser.head(path).status_code == 404


@pytest.mark.parametrize("tail", [".", ">", ")", "%3E", ",", "%20"])
def test_what_a_mail_program_takes_along_with_a_link_does_no_harm(
    browser: TestClient, fake: FakeOperations, tail: str
) -> None:
    assert browser.get(LINK + tail).status_code == 200


def test_an_answered_request_shows_what_was_recorded_and_what_the_gate_came_to(
    browser: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = said("John Miller", DecisionKind.REJECT, choice=Outcome.RECYCLE, comment="Noch nicht", lessons="Früher üben")
    page = done_page(review_page(), mine=mine, settlement=settlement(GateState.REJECTED, Outcome.RECYCLE))
    fake_operations(monkeypatch, page=page)
    told = text_of(browser.get(LINK).text)
    for fact in ("Back to an earlier stage", "Noch nicht", "Früher üben", "24 November 2026", "The gate did not pass."):
        assert fact in told


def test_an_answered_request_at_an_open_gate_says_who_is_still_waited_for(
    browser: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_operations(monkeypatch, page=done_page(counted=2))
    assert "2 of 3 needed voices. Still waited for: Carla Rossi." in text_of(browser.get(LINK).text)


def test_whoever_asked_for_changes_sees_it_and_can_answer_again(
    browser: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = said("John Miller", DecisionKind.REQUEST_CHANGES, comment="Bitte Zahlen")
    fake_operations(monkeypatch, page=decide_page(mine=mine))
    page = browser.get(LINK).text
    assert "Ask for changes first. You can answer again here." in text_of(page)
    assert "Bitte Zahlen" in page
    assert len(Page(page).all("form")) == 1


@pytest.mark.parametrize("state", list(RequestState))
def test_whatever_people_typed_is_shown_as_text(
    browser: TestClient, monkeypatch: pytest.MonkeyPatch, state: RequestState
) -> None:
    reader = replace(JOHN, name=HOSTILE)
    word = said(HOSTILE, comment=HOSTILE, conditions=HOSTILE, lessons=HOSTILE)
    texts = dict.fromkeys(
        ("rollout_title", "gate_title", "question", "details", "requester_name", "owner_name"), HOSTILE
    )
    lines = (Line(HOSTILE, Decimal(1)),)
    page = budget_page(reader, state=state, mine=word, said=(word,), budget=lines, waiting_for=(HOSTILE, "x"), **texts)
    fake = fake_operations(monkeypatch, page=replace(page, void_reason=VoidReason.SETTLED))
    fake.refusal = GateSettled()
    names = ("decision", "comment", *condition_fields.FIELDS, "lessons", "code", "shown", HOSTILE)
    typed = dict.fromkeys(names, HOSTILE)
    for answer in (
        browser.get(LINK),
        browser.post(LINK, data=form(**typed)),
        browser.post(LINK, data=form(comment=HOSTILE)),
    ):
        assert "<script" not in answer.text
        assert "&lt;script&gt;" in answer.text
