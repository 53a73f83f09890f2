"""The page for being away: it says what it does, takes the code like a decision, and keeps what was typed."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import pytest
from fastapi.testclient import TestClient

from domain.errors import EtappeError, InvalidInput, LinkUnknown, LinkVoid, WrongCode
from domain.reasons import Reason
from models.requests import RequestState, VoidReason
from notifications.facts import Reader
from operations.away_by_link import Away, AwayForm, AwayPage, Lent
from tests.fakes_operations import ANNA, CODE, JOHN, NOW, TOKEN, checklist_page, decide_page, done_page, said, void_page
from tests.unit.web_client import LINK, Page, fake_operations, text_of
from web import away

HERE = f"{LINK}/away"
FORM = {"to": "ben.frei@example.com", "from": "2026-11-24", "until": "2026-12-04", "code": CODE}
LENT = Lent(7, "Ben <Frei>", date(2026, 11, 24), date(2026, 12, 4))
AWAY = Away(9, "Ben <Frei>", date(2026, 11, 24), date(2026, 12, 4))


def shown(reader: Reader = JOHN, **changed: Any) -> AwayPage:
    """What somebody is shown who is not away yet."""
    page = AwayPage(reader, decide_page(reader).question, None, None, (), (), True, date(2026, 11, 24))
    return replace(page, **changed)


@dataclass
class FakeVerbs:
    """Stands in for the verbs behind the page; a POST raises `refusal`, or is remembered."""

    page: AwayPage = field(default_factory=shown)
    refusal: EtappeError | None = None
    heard: list[tuple[str, Any]] = field(default_factory=list)

    def show_away(self, db: object, token: str, now: object) -> AwayPage:
        """Return the page."""
        if token != TOKEN:
            raise LinkUnknown()
        return self.page

    def be_away_by_link(self, db: object, keys: object, token: str, form: AwayForm, now: object) -> AwayPage:
        """Remember what was entered."""
        entered = replace(AWAY, name="Ben <Frei>" if form.to else "")
        return self._hear("away", vars(form), replace(self.page, away=(entered,), entered=entered))

    def come_back_by_link(self, db: object, keys: object, token: str, number: int, code: str, now: object) -> AwayPage:
        """Remember which absence was ended."""
        return self._hear("back", (number, code), replace(self.page, away=()))

    def end_by_link(self, db: object, keys: object, token: str, number: int, code: str, now: object) -> AwayPage:
        """Remember which delegation was ended."""
        return self._hear("end", (number, code), replace(self.page, lent=()))

    def _hear(self, verb: str, what: Any, then: AwayPage) -> AwayPage:
        if self.refusal:
            raise self.refusal
        self.heard.append((verb, what))
        return then


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeVerbs:
    """Verbs that know one link."""
    fake = FakeVerbs()
    for verb in ("show_away", "be_away_by_link", "come_back_by_link", "end_by_link"):
        monkeypatch.setattr(away, verb, getattr(fake, verb))
    return fake


@pytest.mark.parametrize("reader", [ANNA, JOHN], ids=lambda reader: reader.language)
def test_the_form_asks_for_whom_and_when_and_every_field_has_a_label(
    browser: TestClient, fake: FakeVerbs, reader: Reader
) -> None:
    fake.page = shown(reader, away=(AWAY,), lent=(LENT,))
    answer = browser.get(HERE)
    page = Page(answer.text)
    assert (answer.status_code, page.all("html")) == (200, [{"lang": reader.language}])
    assert [one["name"] for one in page.all("input") if one.get("type") != "hidden"] == [
        "from", "until", "to", "code", "code", "code"]  # fmt: skip
    visible = {one["id"] for one in page.all("input") if one.get("type") != "hidden"}
    assert visible == {label["for"] for label in page.all("label")}
    assert page.all("input", name="from")[0]["value"] == "2026-11-24"
    assert page.all("script") == []
    assert "Ben &lt;Frei&gt;" in answer.text


def test_it_says_that_it_holds_everywhere_and_what_comes_of_either(browser: TestClient, fake: FakeVerbs) -> None:
    told = text_of(browser.get(HERE).text)
    for fact in ("in every other rollout", "they are asked as well", "others whom the plan names are asked at once"):
        assert fact in told


def test_head_is_get_without_a_body_and_neither_lends_anything(browser: TestClient, fake: FakeVerbs) -> None:
    page, head = browser.get(HERE), browser.head(HERE)
    assert (head.status_code, head.content, {**head.headers}) == (200, b"", {**page.headers})
    assert fake.heard == []


@pytest.mark.parametrize(
    ("to", "fact"),
    [
        (FORM["to"], "what you are asked is asked of Ben &lt;Frei&gt; as well"),
        ("", "others whom the plan names are asked at once"),
    ],
)
def test_what_was_entered_is_confirmed_with_how_to_end_it(
    browser: TestClient, fake: FakeVerbs, to: str, fact: str
) -> None:
    answer = browser.post(HERE, data={**FORM, "to": to})
    told = text_of(answer.text)
    assert fake.heard == [("away", {"to": to, "first": "2026-11-24", "last": "2026-12-04", "code": CODE})]
    assert answer.status_code == 200
    for each in ("You are entered as away", "From 24 November 2026 until 4 December 2026", fact,
                 f"etappe people back {JOHN.email} 9"):  # fmt: skip
        assert each in told


@pytest.mark.parametrize("kind", ["back", "end"])
def test_it_is_ended_by_the_code_too(browser: TestClient, fake: FakeVerbs, kind: str) -> None:
    fake.page = shown(away=(AWAY,)) if kind == "back" else shown(lent=(LENT,))
    answer = browser.post(HERE, data={kind: "7", "code": CODE})
    assert (answer.status_code, fake.heard) == (200, [(kind, (7, CODE))])
    assert "What is known already" not in answer.text


@pytest.mark.parametrize("number", ["", "x", "7.0", "٧", "9" * 30])
def test_a_number_that_is_none_names_no_delegation(browser: TestClient, fake: FakeVerbs, number: str) -> None:
    browser.post(HERE, data={"end": number, "code": CODE})
    assert fake.heard == [("end", (0, CODE))]


def test_what_is_wrong_stands_beside_its_field_and_nothing_typed_is_lost(browser: TestClient, fake: FakeVerbs) -> None:
    fake.refusal = InvalidInput("no", {"to": Reason("Nobody can lend their voice to themself.")})
    answer = browser.post(HERE, data=FORM)
    page = Page(answer.text)
    assert answer.status_code == 422
    assert page.all("p", id="error-to") != []
    assert "Nobody can lend their voice to themself." in text_of(answer.text)
    values = {one["name"]: one.get("value") for one in page.all("input")}
    assert values == {**FORM, "code": CODE}


def test_a_wrong_code_is_said_beside_the_code_it_was_typed_for(browser: TestClient, fake: FakeVerbs) -> None:
    fake.page, fake.refusal = shown(lent=(LENT,)), WrongCode(3)
    for data, field_id in ((FORM, "code"), ({"end": "7", "code": "000000"}, "code-end-7")):
        answer = browser.post(HERE, data=data)
        assert answer.status_code == 403
        assert Page(answer.text).all("p", id=f"error-{field_id}") != []
        assert "You can try 3 more times" in text_of(answer.text)


def test_after_five_wrong_codes_the_link_is_void_and_a_new_mail_is_on_its_way(
    browser: TestClient, fake: FakeVerbs
) -> None:
    fake.refusal = WrongCode(0)
    answer = browser.post(HERE, data=FORM)
    assert answer.status_code == 403
    assert "A new mail" in text_of(answer.text)
    fake.refusal = LinkVoid(VoidReason.RENEWED, NOW)
    assert browser.post(HERE, data=FORM).status_code == 410


@pytest.mark.parametrize(
    "data",
    [
        {**FORM, "x": "y"},
        {"to": "a@example.com"},
        {"end": "7"},
        {"back": "7"},
        {"end": "7", "code": CODE, "to": "a"},
        {"end": "7", "back": "7", "code": CODE},
    ],
)
def test_a_form_of_another_shape_is_refused(browser: TestClient, fake: FakeVerbs, data: dict[str, str]) -> None:
    answer = browser.post(HERE, data=data)
    assert (answer.status_code, fake.heard) == (422, [])
    assert "cannot be read" in text_of(answer.text)
    assert browser.post(HERE, json=FORM).status_code == 415


def test_where_nothing_can_be_entered_the_page_says_why_and_has_no_form(browser: TestClient, fake: FakeVerbs) -> None:
    fake.page = shown(why_not=Reason("Here nobody can answer for somebody else."))
    answer = browser.get(HERE)
    assert "Here nobody can answer for somebody else." in text_of(answer.text)
    assert Page(answer.text).all("form") == []


def test_where_nobody_can_answer_for_somebody_there_is_no_field_for_whom(browser: TestClient, fake: FakeVerbs) -> None:
    fake.page = shown(why_no_delegate=Reason("Here nobody can answer for somebody else."))
    answer = browser.get(HERE)
    assert "Here nobody can answer for somebody else." in text_of(answer.text)
    assert [one["name"] for one in Page(answer.text).all("input")] == ["from", "until", "code"]


def test_a_link_that_no_longer_counts_ends_nothing(browser: TestClient, fake: FakeVerbs) -> None:
    fake.page = shown(lent=(LENT,), may_end=False, why_not=Reason("Here nobody can answer for somebody else."))
    page = Page(browser.get(HERE).text)
    assert page.all("button") == []


def test_an_unknown_link_is_unknown_here_too(browser: TestClient, fake: FakeVerbs) -> None:
    assert [browser.request(method, "/decide/nothing/away").status_code for method in ("GET", "POST")] == [404, 404]


# --- the decision page ---


def test_the_decision_page_leads_there_from_every_question_of_ones_own(
    browser: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    for page, leads in (
        (decide_page(may_be_away=True), True),
        (checklist_page(may_be_away=True), True),
        (decide_page(), False),
        (done_page(), False),
    ):
        fake_operations(monkeypatch, page=page)
        assert (f'href="{HERE}"' in browser.get(LINK).text) is leads


@pytest.mark.parametrize(
    ("reader", "sentence"),
    [
        (JOHN, "You are asked in the place of Anna Keller (until 24 November 2026)."),
        (ANNA, "Sie sind an Stelle von Anna Keller gefragt (bis 24. November 2026)."),
    ],
)
def test_a_delegate_is_told_in_whose_place_and_until_when(
    browser: TestClient, monkeypatch: pytest.MonkeyPatch, reader: Reader, sentence: str
) -> None:
    page = decide_page(reader)
    question = replace(page.question, in_place_of="Anna Keller", lent_until=NOW)
    fake_operations(monkeypatch, page=replace(page, question=question))
    assert sentence in text_of(browser.get(LINK).text)


def test_who_has_lent_their_voice_is_told_so_and_can_look_at_it(
    browser: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = decide_page(may_be_lent=True, lent_to="Ben Frei", lent_until=NOW)
    fake_operations(monkeypatch, page=page)
    html = browser.get(LINK).text
    assert "Until 24 November 2026, Ben Frei is asked in your place as well." in text_of(html)
    assert html.count(f'href="{HERE}"') == 1


def test_who_is_away_is_told_so_and_can_end_it(browser: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_operations(monkeypatch, page=decide_page(may_be_away=True, away_until=date(2026, 12, 4)))
    html = browser.get(LINK).text
    assert "You are entered as away until 4 December 2026" in text_of(html)
    assert html.count(f'href="{HERE}"') == 1


def test_a_page_that_was_spoken_for_shows_what_was_said_and_by_whom(
    browser: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    word = replace(said("Ben Frei", comment="It is time."), on_behalf_of="John Miller")
    fake_operations(monkeypatch, page=void_page(VoidReason.SPOKEN_FOR, spoken=word))
    answer = browser.get(LINK)
    told = text_of(answer.text)
    assert answer.status_code == 410
    for fact in ("This voice has been heard already", "the other one of you two has answered",
                 "Ben Frei for John Miller : approved", "It is time."):  # fmt: skip
        assert fact in told


def test_a_second_voice_of_one_person_is_told_that_theirs_was_heard(
    browser: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_operations(monkeypatch, page=void_page(VoidReason.SPOKEN_FOR, in_place_of="Carla Rossi"))
    assert "yours was heard here already" in text_of(browser.get(LINK).text)


def test_who_has_answered_for_somebody_sees_for_whom(browser: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_operations(monkeypatch, page=done_page(in_place_of="Anna Keller", state=RequestState.DONE))
    assert "You have answered in the place of Anna Keller." in text_of(browser.get(LINK).text)
