"""The page of whoever answers a request for changes, and what those who are asked again are shown."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from fastapi.testclient import TestClient

from domain.errors import EvidenceChanged, GateSettled, InvalidInput, WrongCode
from domain.reasons import Reason
from models.requests import RequestState, VoidReason
from notifications.facts import Reader, Wish
from tests.fakes_operations import (
    ANNA,
    ANSWERED,
    ATTACHED,
    DIGEST,
    JOHN,
    NOW,
    TOKEN,
    FakeOperations,
    decide_page,
    done_page,
    respond_page,
    void_page,
)
from tests.unit.web_client import LINK, Page, fake_operations, text_of
from web.files import content_disposition
from web.headers import LARGEST_UPLOAD

UPLOAD = f"{LINK}/respond"
TYPED = {
    "reply": "Nun günstiger.",
    "input-budget": "Agentur: 9000",
    "input-concept": "Mutig\r\nund frech",
    "input-target": "1200",
    "input-begins": "2027-01-04",
    "input-external": "no",
    "remove-7": "yes",
    "link": "https://intranet.example.com/neu",
    "code": "493 017",
    "digest": DIGEST,
}


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeOperations:
    """Operations that know one open request to respond."""
    return fake_operations(monkeypatch, page=respond_page())


def test_the_page_shows_who_asks_for_what_and_everything_that_can_be_changed(
    browser: TestClient, fake: FakeOperations
) -> None:
    html = browser.get(LINK).text
    page, told = Page(html), text_of(html)
    for fact in ("Carla Rossi", "Bitte &lt;günstiger&gt;.", "the clock stands still", "Budget &lt;2027&gt;",
                 "Ben Frei : approved with conditions", "Agentur: 12500.00 Film: 900.00", "12.1 KB",
                 "intranet.example.com"):  # fmt: skip
        assert fact in told
    assert [area["name"] for area in page.all("textarea")] == ["reply", "input-budget", "input-concept"]
    assert {field["name"]: field["value"] for field in page.all("input", type="text")} == {
        "input-target": "1200", "input-begins": "2027-01-04", "link": "", "code": ""}  # fmt: skip
    assert [box["name"] for box in page.all("input", type="checkbox")] == ["remove-7", "remove-8"]
    assert len(page.all("input", type="file")) == 1
    [form] = page.all("form")
    assert (form["action"], form["enctype"], form["method"]) == (UPLOAD, "multipart/form-data", "post")
    assert page.all("script") == []


@pytest.mark.parametrize("state", [decide_page, done_page, lambda **more: void_page(VoidReason.SETTLED, **more)])
def test_what_is_attached_is_listed_on_every_page_as_a_download_or_a_link(
    browser: TestClient, monkeypatch: pytest.MonkeyPatch, state: Any
) -> None:
    fake_operations(monkeypatch, page=state(attached=ATTACHED))
    page = Page(browser.get(LINK).text)
    assert [link for link in page.all("a") if "download" in link] == [{"href": f"{LINK}/files/7", "download": None}]
    [link] = page.all("a", href="https://intranet.example.com/a?b=1&c=2")
    assert link["rel"] == "noreferrer noopener"


@pytest.mark.parametrize("reader", [ANNA, JOHN], ids=lambda reader: reader.language)
def test_those_who_are_asked_again_see_the_answer_and_what_has_changed(
    browser: TestClient, monkeypatch: pytest.MonkeyPatch, reader: Reader
) -> None:
    fake_operations(monkeypatch, page=decide_page(reader, changed=ANSWERED))
    told = text_of(browser.get(LINK).text)
    for fact in ("Oskar Huber", "Nun &lt;günstiger&gt;.", "Bitte günstiger.", "Agentur: 12500.00 → Agentur: 9000.00",
                 "Offerte.pdf (12.1 KB, 3f2a91c0)"):  # fmt: skip
        assert fact in told


def test_while_the_clock_stands_still_the_others_are_told_that_they_may_decide(
    browser: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_operations(monkeypatch, page=decide_page(paused_at=NOW))
    told = text_of(browser.get(LINK).text)
    assert "Changes are asked for, and since Tuesday, 24 November 2026, 10:30 the clock stands still" in told


def test_an_answer_is_handed_on_with_its_file(browser: TestClient, fake: FakeOperations) -> None:
    files = {"file": ("Offerte neu.pdf", b"%PDF", "application/pdf")}
    answer = browser.post(UPLOAD, data=TYPED, files=files)
    assert answer.status_code == 200
    [(verb, facts)] = fake.recorded
    assert verb == "response"
    assert facts == {
        "reply": "Nun günstiger.",
        "inputs": {"budget": "Agentur: 9000", "concept": "Mutig\nund frech", "target": "1200",
                   "begins": "2027-01-04", "external": "no"},
        "removed": ["Offerte <2026>.pdf"],
        "files": [("Offerte neu.pdf", b"%PDF")],
        "links": ["https://intranet.example.com/neu"],
        "code": "493 017",
        "digest": DIGEST,
    }  # fmt: skip


def test_no_file_and_no_link_are_nothing(browser: TestClient, fake: FakeOperations) -> None:
    answer = browser.post(UPLOAD, data={**TYPED, "link": " "}, files={"file": ("", b"", "application/octet-stream")})
    assert answer.status_code == 200
    [(_, facts)] = fake.recorded
    assert (facts["files"], facts["links"]) == ([], [])


def test_the_form_is_taken_at_the_plain_address_as_well(browser: TestClient, fake: FakeOperations) -> None:
    assert browser.post(LINK, data=TYPED).status_code == 200
    assert len(fake.recorded) == 1


def test_the_address_of_the_form_shows_the_page_too(browser: TestClient, fake: FakeOperations) -> None:
    assert browser.get(UPLOAD).text == browser.get(LINK).text
    assert browser.head(UPLOAD).status_code == 200


@pytest.mark.parametrize("name", ["decision", "comment", "input-colour", "remove-99"])
def test_a_foreign_field_is_refused(browser: TestClient, fake: FakeOperations, name: str) -> None:
    answer = browser.post(UPLOAD, data={**TYPED, name: "x"})
    assert answer.status_code == 422
    assert f"The form has no field “{name}”." in text_of(answer.text)
    assert fake.recorded == []


@pytest.mark.parametrize(
    ("refusal", "status"), [(WrongCode(3), 403), (GateSettled(), 409), (EvidenceChanged("e" * 64), 409)]
)
def test_whatever_is_refused_everything_typed_is_still_there_and_the_file_is_asked_for_again(
    browser: TestClient, fake: FakeOperations, refusal: Any, status: int
) -> None:
    fake.refusal = refusal
    answer = browser.post(UPLOAD, data=TYPED, files={"file": ("Offerte.pdf", b"%PDF")})
    page = Page(answer.text)
    assert answer.status_code == status
    for text in ("\nNun günstiger.</textarea>", "\nAgentur: 9000</textarea>"):
        assert text in answer.text
    assert page.all("input", name="link")[0]["value"] == "https://intranet.example.com/neu"
    assert ["checked" in box for box in page.all("input", type="checkbox")] == [True, False]
    assert [box["value"] for box in page.all("input", name="input-external") if "checked" in box] == ["no"]
    assert re.findall(r'id="error-file">([^<]+)<', answer.text) == ["Please choose the file again; it was not kept."]


def test_what_is_wrong_stands_beside_its_field_in_the_pages_order(browser: TestClient, fake: FakeOperations) -> None:
    wrong = {name: Reason("Please fill this in.") for name in ("link", "budget", "reply")}
    fake.refusal = InvalidInput(Reason("Something is missing or cannot be used; nothing was recorded yet."), wrong)
    answer = browser.post(UPLOAD, data=TYPED)
    assert answer.status_code == 422
    assert re.findall(r'id="error-([\w-]+)"', answer.text) == ["reply", "input-budget", "link"]
    [reply] = [area for area in Page(answer.text).all("textarea") if area["name"] == "reply"]
    assert "autofocus" in reply


def test_what_is_asked_for_since_is_shown_as_a_difference(
    browser: TestClient, monkeypatch: pytest.MonkeyPatch, fake: FakeOperations
) -> None:
    shown = str(Page(browser.get(LINK).text).all("input", name="shown")[0]["value"])
    before = fake.pages[TOKEN]
    wishes = (*before.question.wishes, Wish("Ben Frei", "Und schöner.", NOW))
    fake.pages[TOKEN] = replace(before, question=replace(before.question, wishes=wishes))
    fake.refusal = EvidenceChanged("e" * 64)
    answer = browser.post(UPLOAD, data={**TYPED, "shown": shown})
    assert "Ben Frei: nothing → Und schöner." in text_of(answer.text)


def test_a_body_of_eleven_megabytes_is_the_most_and_the_refusal_names_the_way_out(
    browser: TestClient, fake: FakeOperations
) -> None:
    answer = browser.post(UPLOAD, data=TYPED, files={"file": ("film.mp4", b"x" * LARGEST_UPLOAD)})
    assert answer.status_code == 413
    assert "at most 10 MB" in answer.text
    assert "attach a link" in answer.text
    assert fake.recorded == []


def test_elsewhere_a_form_is_still_at_most_64_kilobytes(browser: TestClient, fake: FakeOperations) -> None:
    answer = browser.post(LINK, data=TYPED, files={"file": ("film.mp4", b"x" * 70_000)})
    assert answer.status_code == 413
    assert "64 KB" in answer.text


def test_of_a_link_that_leads_nowhere_nothing_is_read(browser: TestClient, fake: FakeOperations) -> None:
    answer = browser.post(f"/decide/{'A' * 43}/respond", data=TYPED, files={"file": ("a", b"x" * 1000)})
    assert answer.status_code == 404


def test_the_answer_is_shown_to_whoever_gave_it(browser: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_operations(monkeypatch, page=done_page(respond_page(), mine=None, changed=ANSWERED, wishes=(), to_change=()))
    told = text_of(browser.get(LINK).text)
    assert "Your answer is recorded" in told
    assert "Nun &lt;günstiger&gt;." in told


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("Offer.pdf", "attachment; filename=\"Offer.pdf\"; filename*=UTF-8''Offer.pdf"),
        ("Über sicht.pdf", "attachment; filename=\"_ber sicht.pdf\"; filename*=UTF-8''%C3%9Cber%20sicht.pdf"),
        ('a"; x=y\\.exe', "attachment; filename=\"a__ x_y_.exe\"; filename*=UTF-8''a%22%3B%20x%3Dy%5C.exe"),
        ("100%.txt", "attachment; filename=\"100_.txt\"; filename*=UTF-8''100%25.txt"),
    ],
)
def test_a_download_has_a_plain_name_and_its_whole_name(name: str, header: str) -> None:
    assert content_disposition(name) == header


def test_when_nobody_asks_for_changes_any_more_the_owner_is_told_so(
    browser: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = respond_page(state=RequestState.VOID, void_reason=VoidReason.NOT_NEEDED, closed_at=NOW, wishes=())
    fake_operations(monkeypatch, page=page)
    answer = browser.get(LINK)
    assert answer.status_code == 410
    assert "Everybody who asked for changes has decided since" in text_of(answer.text)
