"""The decision page: looking changes nothing, answering is strict, and what somebody typed is never lost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from domain.conditions import TypedCondition
from domain.errors import (
    EtappeError,
    EvidenceChanged,
    GateSettled,
    InvalidInput,
    LinkVoid,
    NotEligible,
    RolloutEnded,
    WrongCode,
)
from domain.reasons import Reason
from domain.states import DecisionKind, GateState, Outcome
from models.requests import RequestState, VoidReason
from notifications.facts import LaterStage, Line, Reader
from notifications.language import Words
from operations.show_request import RequestPage
from tests.fakes_operations import (
    ANNA,
    DIGEST,
    JOHN,
    NOW,
    FakeOperations,
    budget_page,
    checklist_page,
    confirm_page,
    decide_page,
    done_page,
    filled_page,
    measure_page,
    respond_page,
    review_page,
    said,
    settlement,
    void_page,
)
from tests.unit.web_client import LINK, Page, client, fake_operations, form, installation, text_of
from web import condition_fields
from web.wording import NO_CONSENT, VOID_SENTENCES, VOID_TITLES

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
HOSTILE = "<script>alert(1)</script>\"'&{x}"


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[TestClient]:
    """A browser on the machine of the installation."""
    with client(installation(tmp_path)) as found:
        yield found


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeOperations:
    """Operations that know one open request to decide."""
    return fake_operations(monkeypatch, page=decide_page())


def refuse(fake: FakeOperations, refusal: EtappeError) -> None:
    """Let the next answer be refused."""
    fake.refusal = refusal


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


def conditions(number: int, **parts: str) -> dict[str, str]:
    """The fields of one condition."""
    return {f"condition-{number}-{part}": text for part, text in parts.items()}


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


def test_a_refused_condition_keeps_what_was_typed_and_its_set_is_open(
    browser: TestClient, fake: FakeOperations
) -> None:
    reason = Reason("This day has passed; name today or a later one.")
    refuse(fake, InvalidInput("No.", {"condition-2-due": reason}))
    typed = conditions(2, what="Texts", who="ben@example.com", due="2026-01-01", stage="wave-one")
    answer = browser.post(LINK, data=form(decision="approve-with-conditions", **typed))
    page = Page(answer.text)
    assert answer.status_code == 422
    assert 'id="error-condition-2-due">This day has passed; name today or a later one.' in answer.text
    assert ["open" in details for details in page.all("details")] == [True, False]
    assert [page.all("input", name=name)[0]["value"] for name in list(typed)[:3]] == list(typed.values())[:3]
    assert [option["value"] for option in page.all("option") if "selected" in option] == ["wave-one"]
    assert page.all("input", name="condition-2-due")[0]["aria-invalid"] == "true"


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


def test_conditions_that_came_too_late_are_kept_for_the_reader(
    browser: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = fake_operations(monkeypatch, page=void_page(VoidReason.SETTLED, settlement=settlement()))
    refuse(fake, GateSettled())
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
    refuse(fake, WrongCode(3))
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
    refuse(fake, WrongCode(0))
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
    refuse(fake, InvalidInput("Something is missing or cannot be used; nothing was recorded yet.", fields))
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
    refuse(
        fake,
        InvalidInput(
            "Not complete.", {"people": Reason("At least 2 must be named."), "affinity": Reason("This needs a yes.")}
        ),
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
    refuse(fake, InvalidInput("Not complete.", {"people": reason}))
    answer = browser.post(LINK, data={"item-people": "Ada", "code": "1", "digest": DIGEST})
    assert Words("de", "UTC").say(reason) in answer.text


def test_what_belongs_to_no_field_of_the_page_is_told_all_the_same(browser: TestClient, fake: FakeOperations) -> None:
    refuse(fake, InvalidInput("No.", {"elsewhere": Reason("This is wrong.")}))
    assert "This is wrong." in text_of(browser.post(LINK, data=form()).text)


def test_when_the_question_has_changed_the_difference_is_shown_and_the_choice_is_open_again(
    browser: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = fake_operations(monkeypatch, page=budget_page(ANNA))
    shown = Page(browser.get(LINK).text).all("input", name="shown")[0]["value"] or ""
    refuse(fake, EvidenceChanged("e" * 64))
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
    refuse(fake, EvidenceChanged("e" * 64))
    assert browser.post(LINK, data=form(shown=shown)).status_code == 409


@pytest.mark.parametrize(
    ("refusal", "status"),
    [(GateSettled(), 409), (RolloutEnded(), 410), (NotEligible(), 403), (EtappeError("No."), 400)],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_a_refusal_has_its_status_and_keeps_what_was_written(
    browser: TestClient, fake: FakeOperations, refusal: EtappeError, status: int
) -> None:
    refuse(fake, refusal)
    answer = browser.post(LINK, data=form(comment="Mein Text"))
    assert answer.status_code == status
    assert "Mein Text" in answer.text


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
    refuse(fake, GateSettled())
    names = ("decision", "comment", *condition_fields.FIELDS, "lessons", "code", "shown", HOSTILE)
    typed = dict.fromkeys(names, HOSTILE)
    for answer in (
        browser.get(LINK),
        browser.post(LINK, data=form(**typed)),
        browser.post(LINK, data=form(comment=HOSTILE)),
    ):
        assert "<script" not in answer.text
        assert "&lt;script&gt;" in answer.text
