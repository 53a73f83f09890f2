"""What is posted to the decision page and cannot be taken: it is named, and what somebody typed is never lost."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest
from fastapi.testclient import TestClient

from domain.errors import EtappeError, EvidenceChanged, GateSettled, InvalidInput, NotEligible, RolloutEnded, WrongCode
from domain.reasons import Reason
from models.requests import VoidReason
from notifications.facts import Line, Reader
from notifications.language import Words
from tests.fakes_operations import (
    ANNA,
    DIGEST,
    JOHN,
    FakeOperations,
    budget_page,
    checklist_page,
    decide_page,
    review_page,
)
from tests.unit.web_client import LINK, Page, conditions, fake_operations, form, text_of
from web.wording import VOID_TITLES


def test_a_refused_condition_keeps_what_was_typed_and_its_set_is_open(
    browser: TestClient, fake: FakeOperations
) -> None:
    reason = Reason("This day has passed; name today or a later one.")
    fake.refusal = InvalidInput("No.", {"condition-2-due": reason})
    typed = conditions(2, what="Texts", who="ben@example.com", due="2026-01-01", stage="wave-one")
    answer = browser.post(LINK, data=form(decision="approve-with-conditions", **typed))
    page = Page(answer.text)
    assert answer.status_code == 422
    assert 'id="error-condition-2-due">This day has passed; name today or a later one.' in answer.text
    assert ["open" in details for details in page.all("details")] == [True, False]
    assert [page.all("input", name=name)[0]["value"] for name in list(typed)[:3]] == list(typed.values())[:3]
    assert [option["value"] for option in page.all("option") if "selected" in option] == ["wave-one"]
    assert page.all("input", name="condition-2-due")[0]["aria-invalid"] == "true"


@pytest.mark.parametrize("name", ["rollout_id", "purpose", "person", "item-people", "value"])
def test_a_foreign_field_is_refused_and_named(browser: TestClient, fake: FakeOperations, name: str) -> None:
    answer = browser.post(LINK, data=form(**{name: "x", "comment": "Mein Text"}))
    assert answer.status_code == 422
    assert f"The form has no field “{name}”." in text_of(answer.text)
    assert "Mein Text" in answer.text
    assert fake.recorded == []


@pytest.mark.parametrize("name", ["code", "digest"])
def test_a_missing_field_is_refused_and_named(browser: TestClient, fake: FakeOperations, name: str) -> None:
    typed = form()
    del typed[name]
    answer = browser.post(LINK, data=typed)
    assert answer.status_code == 422
    assert f"The field “{name}” is missing" in text_of(answer.text)
    assert fake.recorded == []


def test_a_repeated_field_is_refused_and_named(browser: TestClient, fake: FakeOperations) -> None:
    content = "decision=approve&decision=reject&code=1&digest=d"
    answer = browser.post(LINK, content=content, headers={"content-type": "application/x-www-form-urlencoded"})
    assert answer.status_code == 422
    assert "The field “decision” was sent more than once." in text_of(answer.text)
    assert fake.recorded == []


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", ""])
def test_what_is_not_a_form_is_refused(browser: TestClient, fake: FakeOperations, content_type: str) -> None:
    answer = browser.post(LINK, content=b'{"decision": "approve"}', headers={"content-type": content_type})
    assert answer.status_code == 415
    assert "takes the form of its page and nothing else" in text_of(answer.text)
    assert fake.recorded == []


def test_a_broken_multipart_form_is_refused(browser: TestClient, fake: FakeOperations) -> None:
    answer = browser.post(LINK, content=b"--nonsense", headers={"content-type": "multipart/form-data"})
    assert answer.status_code == 415
    assert fake.recorded == []


def test_a_file_in_the_form_is_refused(browser: TestClient, fake: FakeOperations) -> None:
    answer = browser.post(LINK, data=form(), files={"attachment": ("a.txt", b"x")})
    assert answer.status_code == 422
    assert fake.recorded == []


def test_a_form_of_more_than_64_kilobytes_is_refused_whatever_it_says_of_its_length(
    browser: TestClient, fake: FakeOperations
) -> None:
    def in_pieces() -> Iterator[bytes]:
        yield b"comment="
        for _ in range(70):
            yield b"x" * 1024

    headers = {"content-type": "application/x-www-form-urlencoded", "accept-language": "de"}
    for answer in (
        browser.post(LINK, data=form(comment="x" * 70_000), headers={"accept-language": "de"}),
        browser.post(LINK, content=in_pieces(), headers=headers),
    ):
        assert answer.status_code == 413
        assert "64 KB" in answer.text
        assert 'lang="de"' in answer.text
    assert fake.recorded == []


def test_after_a_wrong_code_everything_typed_is_still_there(browser: TestClient, fake: FakeOperations) -> None:
    fake.refusal = WrongCode(3)
    answer = browser.post(LINK, data=form(decision="reject", comment="\nZu früh & teuer", code="111 111"))
    page = Page(answer.text)
    assert answer.status_code == 403
    assert [tag["value"] for tag in page.all("input", name="decision") if "checked" in tag] == ["reject"]
    assert "\n\nZu früh &amp; teuer</textarea>" in answer.text
    [code] = page.all("input", name="code")
    assert code["value"] == "111 111"
    assert "autofocus" in code
    assert code["aria-invalid"] == "true"
    assert "error-code" in (code["aria-describedby"] or "")
    assert "You can try 3 more times." in text_of(answer.text)


@pytest.mark.parametrize("reader", [ANNA, JOHN], ids=lambda reader: reader.language)
def test_after_the_fifth_wrong_code_the_page_says_where_to_go_on_and_keeps_the_text(
    browser: TestClient, monkeypatch: pytest.MonkeyPatch, reader: Reader
) -> None:
    fake = fake_operations(monkeypatch, page=decide_page(reader))
    fake.refusal = WrongCode(0)
    answer = browser.post(LINK, data=form(comment="Mein Grund"))
    assert answer.status_code == 403
    assert Words(reader.language, "UTC").text(VOID_TITLES[VoidReason.RENEWED]) in text_of(answer.text)
    assert "Mein Grund" in answer.text


def test_what_is_wrong_stands_beside_its_field_and_the_first_one_has_the_focus(
    browser: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = fake_operations(monkeypatch, page=review_page(ANNA))
    fields = {
        "lessons": Reason("Write down what was learned."),
        "condition-1-what": Reason("Write down the conditions."),
    }
    fake.refusal = InvalidInput("Something is missing or cannot be used; nothing was recorded yet.", fields)
    answer = browser.post(LINK, data=form(decision="approve-with-conditions", comment="Gut", lessons=""))
    page = Page(answer.text)
    wrong = [tag for tag in page.all("input") + page.all("textarea") if tag.get("aria-invalid") == "true"]
    assert answer.status_code == 422
    assert [tag["name"] for tag in wrong] == ["condition-1-what", "lessons"]
    assert ["autofocus" in tag for tag in wrong] == [True, False]
    assert "Schreiben Sie" in text_of(answer.text)
    assert ">\nGut</textarea>" in answer.text


def test_what_is_wrong_in_a_list_stands_beside_its_item(browser: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = fake_operations(monkeypatch, page=checklist_page())
    fake.refusal = InvalidInput(
        "Not complete.", {"people": Reason("At least 2 must be named."), "affinity": Reason("This needs a yes.")}
    )
    typed = {"item-people": "Ada", "item-affinity": "no", "item-rhythm": "Montags", "code": "1", "digest": DIGEST}
    answer = browser.post(LINK, data=typed)
    assert answer.status_code == 422
    assert 'id="error-item-people">At least 2 must be named.' in answer.text
    assert 'id="error-item-affinity">This needs a yes.' in answer.text
    assert ">\nMontags</textarea>" in answer.text


def test_a_reason_from_the_rules_is_told_in_the_readers_language(
    browser: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = fake_operations(monkeypatch, page=checklist_page(ANNA))
    reason = Reason("At least {minimum} must be named; so far there are {count}.", {"minimum": 2, "count": 1})
    fake.refusal = InvalidInput("Not complete.", {"people": reason})
    answer = browser.post(LINK, data={"item-people": "Ada", "code": "1", "digest": DIGEST})
    assert Words("de", "UTC").say(reason) in answer.text


def test_what_belongs_to_no_field_of_the_page_is_told_all_the_same(browser: TestClient, fake: FakeOperations) -> None:
    fake.refusal = InvalidInput("No.", {"elsewhere": Reason("This is wrong.")})
    assert "This is wrong." in text_of(browser.post(LINK, data=form()).text)


def test_when_the_question_has_changed_the_difference_is_shown_and_the_choice_is_open_again(
    browser: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = fake_operations(monkeypatch, page=budget_page(ANNA))
    shown = Page(browser.get(LINK).text).all("input", name="shown")[0]["value"] or ""
    fake.refusal = EvidenceChanged("e" * 64)
    lines = (Line("Monitoring <b>", Decimal(21000)), Line("Neu", Decimal(5)))
    fake.pages[LINK.removeprefix("/decide/")] = budget_page(
        ANNA, budget=lines, budget_total=Decimal(21005), digest="e" * 64
    )
    answer = browser.post(LINK, data=form(shown=shown, comment="Gut so"))
    page = Page(answer.text)
    assert answer.status_code == 409
    assert (
        "Monitoring &lt;b&gt;: <del>CHF\u00a018\u2019000.00</del> → <ins>CHF\u00a021\u2019000.00</ins>" in answer.text
    )
    assert "Neu: <del>nichts</del> → <ins>CHF\u00a05.00</ins>" in answer.text
    assert page.all("input", name="digest")[0]["value"] == "e" * 64
    assert [tag for tag in page.all("input", name="decision") if "checked" in tag] == []
    assert ">\nGut so</textarea>" in answer.text


@pytest.mark.parametrize("shown", ["", "nonsense", "!", "eJwLBAAAQgBC", "A" * 40_000])
def test_a_broken_memory_of_what_was_shown_does_no_harm(browser: TestClient, fake: FakeOperations, shown: str) -> None:
    fake.refusal = EvidenceChanged("e" * 64)
    assert browser.post(LINK, data=form(shown=shown)).status_code == 409


@pytest.mark.parametrize(
    ("refusal", "status"),
    [(GateSettled(), 409), (RolloutEnded(), 410), (NotEligible(), 403), (EtappeError("No."), 400)],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_a_refusal_has_its_status_and_keeps_what_was_written(
    browser: TestClient, fake: FakeOperations, refusal: EtappeError, status: int
) -> None:
    fake.refusal = refusal
    answer = browser.post(LINK, data=form(comment="Mein Text"))
    assert answer.status_code == status
    assert "Mein Text" in answer.text
