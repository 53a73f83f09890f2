"""Lending a voice in the browser, on real operations: by the link and the code from the mail, like a decision."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from models.absences import Absence
from models.database import Database
from models.delegations import delegations
from models.requests import Request, RequestState
from tests.company import PEOPLE, REQUESTER, Company
from tests.lending import DIRECTORY
from tests.sample_plans import SIGN_OFF, one_gate
from tests.unit.web_client import Page, text_of

ANNA, BEN, CARLA, HUGO = "anna@example.com", "ben@example.com", "carla@example.com", "hugo@example.com"
FORM = {"to": HUGO, "from": "2026-03-02", "until": "2026-03-06"}


@pytest.fixture
def company(db: Database) -> Company:
    """A company in which Hugo holds no role, and something that Anna, Ben and Carla are asked."""
    company = Company(db, directory=DIRECTORY)
    company.start(one_gate(f"{SIGN_OFF}, quorum: all"))
    return company


def here(company: Company, request: Request) -> str:
    return f"/decide/{company.token(request)}/away"


def lent(company: Company) -> list[tuple[str, str, datetime, datetime, str]]:
    with company.db.read() as session:
        rows = session.scalars(delegations()).all()
    return [(row.delegator, row.delegate, row.starts_at, row.term.ends_at, row.given_by) for row in rows]


def absences(company: Company) -> list[tuple[str, datetime, datetime]]:
    with company.db.read() as session:
        return [(row.person, row.starts_at, row.term.ends_at) for row in session.scalars(select(Absence))]


def test_the_decision_page_leads_to_it_and_the_post_lends_for_whole_days(company: Company, browser: TestClient) -> None:
    request = company.asked(ANNA)
    shown = browser.get(f"/decide/{company.token(request)}")
    assert here(company, request) in {one["href"] for one in Page(shown.text).all("a")}
    answer = browser.post(here(company, request), data={**FORM, "code": company.code(request)})
    assert answer.status_code == 200
    assert "Vom 2. März 2026 bis zum 6. März 2026 wird auch Hugo Berg gefragt" in text_of(answer.text)
    midnight_in_zurich = datetime(2026, 3, 6, 23, 0, tzinfo=UTC)
    assert lent(company) == [(ANNA, HUGO, company.now, midnight_in_zurich, ANNA)]
    assert company.asked(HUGO).on_behalf_of == ANNA


def test_the_same_form_sent_again_is_answered_with_what_was_given(company: Company, browser: TestClient) -> None:
    request = company.asked(ANNA)
    for to in (HUGO, HUGO, HUGO.upper()):
        answer = browser.post(here(company, request), data={**FORM, "to": to, "code": company.code(request)})
        assert (answer.status_code, "etappe people back" in answer.text) == (200, True)
        company.later(minutes=1)
    assert (len(lent(company)), len(absences(company))) == (1, 1)


def test_without_a_delegate_one_is_just_away(company: Company, browser: TestClient) -> None:
    request = company.asked(ANNA)
    answer = browser.post(here(company, request), data={**FORM, "to": "", "code": company.code(request)})
    assert (answer.status_code, lent(company)) == (200, [])
    assert absences(company) == [
        (ANNA, datetime(2026, 3, 1, 23, 0, tzinfo=UTC), datetime(2026, 3, 6, 23, 0, tzinfo=UTC))
    ]
    assert "Sie sind als abwesend eingetragen" in text_of(answer.text)
    assert "Anna Keller (away until 6 March)" in text_of(
        browser.get(f"/decide/{company.token(company.asked(BEN))}").text
    )


def test_what_was_lent_without_an_absence_is_ended_there_too(company: Company, browser: TestClient) -> None:
    number = company.lends(ANNA, HUGO)
    request = company.asked(ANNA)
    answer = browser.post(here(company, request), data={"end": str(number), "code": company.code(request)})
    assert answer.status_code == 200
    assert company.requests(HUGO, RequestState.OPEN) == []


def test_the_address_of_before_still_works(company: Company, browser: TestClient) -> None:
    request = company.asked(ANNA)
    before = f"/decide/{company.token(request)}/delegate"
    assert browser.get(before).text == browser.get(here(company, request)).text
    assert browser.post(before, data={**FORM, "code": company.code(request)}).status_code == 200
    assert len(lent(company)) == 1


def test_it_is_ended_on_the_same_page(company: Company, browser: TestClient) -> None:
    request = company.asked(ANNA)
    code = company.code(request)
    browser.post(here(company, request), data={**FORM, "code": code})
    company.later(hours=1)
    [field] = [one for one in Page(browser.get(here(company, request)).text).all("input") if one.get("name") == "back"]
    answer = browser.post(here(company, request), data={"back": field["value"], "code": code})
    assert answer.status_code == 200
    assert company.requests(HUGO, RequestState.OPEN) == []
    assert (lent(company)[0][3], absences(company)[0][2]) == (company.now, company.now)


def test_a_wrong_code_lends_nothing_and_the_fifth_one_renews_the_link(company: Company, browser: TestClient) -> None:
    request = company.asked(ANNA)
    wrong = f"{(int(company.code(request)) + 1) % 1_000_000:06d}"
    statuses = [browser.post(here(company, request), data={**FORM, "code": wrong}).status_code for _ in range(6)]
    assert statuses == [403] * 5 + [410]
    assert lent(company) == []
    assert [row.recipient for row in company.messages("code")] == [ANNA]


@pytest.mark.parametrize(
    ("typed", "field", "because"),
    [
        ({"to": ANNA}, "to", "an sich selbst"),
        ({"to": "x@example.com"}, "to", "steht nicht im Verzeichnis"),
        ({"to": "<script>"}, "to", "Adresse"),
        ({"until": "2026-03-01"}, "until", "schon vorbei"),
        ({"from": "2026-03-05", "until": "2026-03-01"}, "until", "liegt vor dem ersten"),
        ({"from": "2026-03-05", "until": "2026-03-04"}, "until", "liegt vor dem ersten"),
        ({"until": "2027-04-01"}, "until", "höchstens ein Jahr"),
        ({"from": "bald"}, "from", "Datum"),
        ({"until": "9999-12-31"}, "until", "Datum"),
        ({"until": ""}, "until", "Datum"),
    ],
)
def test_what_cannot_be_lent_is_refused_beside_its_field(
    company: Company, browser: TestClient, typed: dict[str, str], field: str, because: str
) -> None:
    request = company.asked(ANNA)
    answer = browser.post(here(company, request), data={**FORM, **typed, "code": company.code(request)})
    assert answer.status_code == 422
    assert Page(answer.text).all("p", id=f"error-{field}") != []
    assert because in text_of(answer.text)
    assert lent(company) == []


def test_what_was_lent_is_not_lent_on_from_a_delegates_link(company: Company, browser: TestClient) -> None:
    company.lends(ANNA, HUGO)
    request = company.asked(HUGO)
    assert here(company, request) not in browser.get(f"/decide/{company.token(request)}").text
    assert Page(browser.get(here(company, request)).text).all("form") == []
    answer = browser.post(here(company, request), data={**FORM, "to": CARLA, "code": company.code(request)})
    assert answer.status_code == 422
    assert "what was lent to you is not lent on" in text_of(answer.text)
    assert len(lent(company)) == 1


def test_nobody_ends_what_another_one_has_lent(company: Company, browser: TestClient) -> None:
    number = company.lends(ANNA, HUGO)
    request = company.asked(BEN)
    answer = browser.post(here(company, request), data={"end": str(number), "code": company.code(request)})
    assert answer.status_code == 403
    assert company.asked(HUGO).state is RequestState.OPEN
    away = company.is_away(CARLA)
    answer = browser.post(here(company, request), data={"back": str(away), "code": company.code(request)})
    assert answer.status_code == 403
    for kind, unknown in (("end", "999"), ("end", "x"), ("back", "999")):
        data = {kind: unknown, "code": company.code(request)}
        assert browser.post(here(company, request), data=data).status_code == 404


def test_a_link_that_is_void_lends_and_ends_nothing_whatever_the_code(company: Company, browser: TestClient) -> None:
    request = company.asked(ANNA)
    number = company.lends(ANNA, HUGO)
    company.decides(HUGO)
    for data in ({**FORM, "from": "2026-04-01", "until": "2026-04-02", "code": "000000"},
                 {"end": str(number), "code": "000000"}):  # fmt: skip
        answer = browser.post(here(company, request), data=data)
        assert answer.status_code == 422
        assert "gilt nicht mehr" in text_of(answer.text)
    assert len(lent(company)) == 1
    assert lent(company)[0][3] > company.now


@pytest.mark.parametrize(
    "gate",
    [
        f"{SIGN_OFF}, delegates: false",
        'kind: acknowledgement, text: "Read this", audience: [board], share: "100 %"',
    ],
)
def test_where_nothing_can_be_lent_one_is_away_without_a_delegate(
    company: Company, browser: TestClient, gate: str
) -> None:
    company.start(one_gate(gate))
    request = company.asked(ANNA)
    assert Page(browser.get(here(company, request)).text).all("input", name="to") == []
    answer = browser.post(here(company, request), data={**FORM, "code": company.code(request)})
    assert answer.status_code == 422
    assert "Hier kann niemand" in text_of(answer.text)
    typed = {name: text for name, text in FORM.items() if name != "to"}
    assert browser.post(here(company, request), data={**typed, "code": company.code(request)}).status_code == 200
    assert (len(absences(company)), lent(company)) == (1, [])


def test_whose_delegation_ended_while_their_page_was_open_is_told_so(company: Company, browser: TestClient) -> None:
    company.lends(ANNA, HUGO, days=1)
    request = company.asked(HUGO)
    digest = company.page(request).digest
    company.later(days=1)
    data = {"decision": "approve", "code": company.code(request), "digest": digest}
    answer = browser.post(f"/decide/{company.token(request)}", data=data)
    told = text_of(answer.text)
    assert answer.status_code == 403
    assert "You can no longer answer in the place of anna@example.com" in told
    assert "The delegation is over" in told
    assert company.gate()["decisions"] == []


def test_whose_voice_was_heard_sees_by_whom(company: Company, browser: TestClient) -> None:
    company.lends(ANNA, HUGO)
    request = company.asked(ANNA)
    company.decides(HUGO, comment="Es ist Zeit.")
    told = text_of(browser.get(f"/decide/{company.token(request)}").text)
    assert "Hugo Berg für Anna Keller : hat freigegeben" in told
    assert "Es ist Zeit." in told


def test_a_person_outside_of_the_directory_cannot_lend(company: Company, browser: TestClient) -> None:
    company.import_people(PEOPLE.replace("anna@example.com", "anne@example.com"))
    request = company.asked(ANNA)
    answer = browser.post(here(company, request), data={**FORM, "to": REQUESTER, "code": company.code(request)})
    assert answer.status_code == 404
    assert lent(company) == []
