"""The board: all rollouts, those that need somebody first, page by page; it shows, and changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import event, update

from domain.errors import UnknownRollout
from domain.links import board_token, link_token, page_token, rollout_page
from models.database import Database
from models.gates import GateRow
from operations import board
from operations.board import Board, Part, show_board
from operations.board_rows import Row
from tests.api_client import ANNA, BEN, CARLA, DORA, EMIL
from tests.company import KEYS, MONDAY, OLDER, PEOPLE, Company
from tests.sample_plans import LATER, SIGN_OFF, one_gate
from tests.unit.web_client import Page, text_of
from web import board_page

USUAL = one_gate(f"{SIGN_OFF}, quorum: all, expires: {{after: 9 days}}, on_reject: hold")
STAFF = "kind: acknowledgement, text: Read it, audience: [staff, board], share: 100 %"
BOARD = f"/board/{board_token(KEYS[0])}"


@pytest.fixture
def company(db: Database) -> Company:
    return Company(db)


def shown(company: Company, part: Part | None = None, before: str = "") -> Board:
    return show_board(company.db, company.now, "en", part, before)


def titles(board: Board) -> dict[str, list[str]]:
    return {page.part.value: [row.title for row in page.rows] for page in board.pages}


def row_of(company: Company) -> Row:
    """The row of the rollout that is talked about."""
    rows = [row for part in (None, Part.ENDED) for page in shown(company, part).pages for row in page.rows]
    [found] = [row for row in rows if row.id == company.rollout_id]
    return found


def hold(company: Company) -> None:
    company.decides(ANNA, "reject")


def overdue(company: Company) -> None:
    """Its gate's time is over, and the check that expires it has not come yet."""
    with company.db.write() as session:
        gates = update(GateRow).where(GateRow.rollout_id == company.rollout_id)
        session.execute(gates.values(expires_at=company.now))


def stall(company: Company) -> None:
    company.later(days=5)
    company.checks()


@pytest.mark.parametrize("happens", [hold, overdue, stall])
def test_what_needs_somebody_comes_first(company: Company, happens: Callable[[Company], None]) -> None:
    company.start(USUAL.replace("title: Only stage", "title: Only stage\n    stalled_after: 3 days"), title="in need")
    happens(company)
    for title in ("first", "second"):
        company.later(minutes=1)
        company.start(USUAL, title=title)
    found = shown(company)
    assert titles(found) == {"in-need": ["in need"], "going-on": ["second", "first"]}
    assert (found.in_need, found.under_way, found.ended) == (1, 3, 0)


def test_a_gate_at_which_nobody_can_be_asked_needs_somebody(company: Company) -> None:
    company.start(one_gate(f"{SIGN_OFF}, quorum: any") + LATER, title="stuck")
    company.import_people(PEOPLE.replace("  finance: [dora@example.com]\n", ""))
    company.decides(ANNA)
    found = shown(company)
    assert titles(found)["in-need"] == ["stuck"]
    [gate] = row_of(company).awaited
    assert gate.because and gate.because.text == "Nobody can be asked: {problem}"


def test_what_has_ended_stands_apart_the_last_to_end_first(company: Company) -> None:
    first = company.start(USUAL, title="called off last")
    company.start(USUAL, title="called off first")
    company.later(hours=1)
    company.cancels()
    company.later(hours=1)
    company.rollout_id = first
    company.cancels()
    assert titles(shown(company, Part.ENDED)) == {"ended": ["called off last", "called off first"]}
    assert titles(shown(company)) == {"in-need": [], "going-on": []}
    assert row_of(company).since == company.now and row_of(company).awaited == ()


def test_a_gate_says_whom_it_waits_for_and_by_when(company: Company) -> None:
    company.start(USUAL)
    company.decides(BEN)
    company.is_away(CARLA, days=3)
    company.lends(ANNA, DORA)
    [gate] = row_of(company).awaited
    assert (gate.title, gate.due_at, gate.is_overdue) == ("The gate", MONDAY + timedelta(days=9), False)
    people = [(one.name, one.on_behalf_of, one.away_until) for one in gate.people]
    assert people == [("Anna Keller", "", None), ("Carla Rossi", "", date(2026, 3, 5)),
                      ("Dora Meier", "Anna Keller", None)]  # fmt: skip


@pytest.mark.parametrize(("audience", "named", "others"), [("[board, finance]", 4, 0), ("[staff, board]", 3, 2)])
def test_of_many_people_a_few_are_named_and_the_others_counted(
    company: Company, audience: str, named: int, others: int
) -> None:
    company.start(one_gate(STAFF.replace("[staff, board]", audience)))
    [gate] = row_of(company).awaited
    assert (len(gate.people), gate.others) == (named, others)


def test_while_changes_are_asked_for_the_owner_is_waited_for_and_nobody_else(company: Company) -> None:
    company.start(USUAL)
    company.decides(ANNA, "request-changes")
    [gate] = row_of(company).awaited
    assert [one.name for one in gate.people] == ["Lea Brunner"]
    assert gate.because and gate.because.text.startswith("Changes are asked for")


def test_on_hold_it_says_what_did_not_pass_and_waits_for_the_owner_since_then(company: Company) -> None:
    company.start(USUAL)
    company.later(days=1)
    hold(company)
    company.later(days=1)
    row = row_of(company)
    [stage] = row.awaited
    assert row.since == MONDAY + timedelta(days=1)
    assert (stage.title, [one.name for one in stage.people]) == ("Only stage", ["Lea Brunner"])
    assert stage.because and stage.because.facts == {"gates": "The gate"}


def test_a_condition_is_called_by_what_was_promised(company: Company) -> None:
    company.start(one_gate(f"{SIGN_OFF}, quorum: any") + LATER)
    company.decides(ANNA, "approve-with-conditions")
    assert "Condition: check the texts" in [one.title for one in row_of(company).awaited]


def test_one_in_a_queue_waits_for_its_turn_and_one_for_its_day(company: Company) -> None:
    exclusive = USUAL.replace("title: Only stage", "title: Only stage\n    exclusive: production")
    company.start(exclusive)
    company.start(exclusive)
    [turn] = row_of(company).awaited
    assert turn.because and turn.because.facts == {"resource": "production"}
    company.start(USUAL, start_on=date(2026, 4, 1))
    assert (row_of(company).start_on, row_of(company).awaited) == (date(2026, 4, 1), ())


@pytest.mark.parametrize("part", Part)
def test_turning_pages_shows_each_once_whatever_is_started_meanwhile(
    company: Company, monkeypatch: pytest.MonkeyPatch, part: Part
) -> None:
    monkeypatch.setattr(board, "AT_ONCE", 2)

    def start(title: str) -> None:
        company.start(USUAL, title=title)
        if part is Part.IN_NEED:
            hold(company)
        if part is Part.ENDED:
            company.cancels()

    for number in range(5):  # at the same moment: the id decides
        start(f"{number}")
    found, before = [], ""
    while True:
        [page] = shown(company, part, before).pages
        found += [row.title for row in page.rows]
        company.later(minutes=1)
        start("later")
        if not page.older:
            break
        before = page.older
    assert sorted(found) == ["0", "1", "2", "3", "4"]


def test_no_page_begins_after_what_is_not_there(company: Company) -> None:
    company.start(USUAL)
    for part, before in ((Part.GOING_ON, "nothing"), (Part.ENDED, company.rollout_id), (None, company.rollout_id)):
        with pytest.raises(UnknownRollout):
            shown(company, part, before)


def test_what_is_too_many_to_count_is_said_to_be_more(
    company: Company, browser: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (board, board_page):
        monkeypatch.setattr(module, "COUNTED", 3)
    for number, said in ((2, "Under way 2 "), (2, "Under way 2+ ")):
        for _ in range(number):
            company.start(USUAL)
        assert said in text_of(browser.get(BOARD).text)
    assert shown(company).under_way == 3


def test_many_rows_take_as_many_statements_as_one(company: Company) -> None:
    def statements() -> int:
        heard: list[str] = []

        def listen(connection: object, cursor: object, statement: str, *more: object) -> None:
            heard.append(statement)

        event.listen(company.db.engine, "before_cursor_execute", listen)
        shown(company)
        event.remove(company.db.engine, "before_cursor_execute", listen)
        return len(heard)

    for happens in (hold, lambda company: None, overdue):
        company.start(USUAL)
        happens(company)
    company.is_away(CARLA)
    shown(company)  # plans are read once per process
    few = statements()
    for number in range(6):
        company.start(USUAL, title=str(number))
        (hold, lambda company: None)[number % 2](company)
    company.is_away(EMIL)
    company.is_away(BEN)
    assert (statements(), shown(company).in_need) == (few, 5)


@pytest.mark.parametrize(("accepted", "language", "words"), [
    ("de-CH", "de", ("Alle Vorhaben", "Braucht jemanden: 1", "Überfällig", "War fällig: Montag, 2. März 2026, 10:00",
                     "Gewartet wird auf Anna Keller, Ben Frei, Carla Rossi.")),
    ("en", "en", ("All rollouts", "Needs somebody: 1", "Overdue", "Was due on Monday, 2 March 2026, 10:00")),
    ("fr", "en", ("All rollouts",)),
])  # fmt: skip
def test_it_is_in_the_browsers_language(
    company: Company, browser: TestClient, accepted: str, language: str, words: tuple[str, ...]
) -> None:
    company.start(USUAL)
    overdue(company)
    answer = browser.get(BOARD, headers={"Accept-Language": accepted})
    assert f'<html lang="{language}">' in answer.text
    for said in words:
        assert said in text_of(answer.text)


def test_each_title_leads_to_its_rollouts_own_page(company: Company, browser: TestClient) -> None:
    company.start(USUAL, title="<script>alert(1)</script>")
    text = browser.get(BOARD).text
    assert "<script" not in text and "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    own = rollout_page("", KEYS[0], company.rollout_id)
    assert Page(text).all("a", href=own)
    assert browser.get(own).status_code == 200


def test_older_ones_are_one_link_away(company: Company, browser: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(board, "AT_ONCE", 1)
    for title in ("the older one", "the newer one"):
        company.start(USUAL, title=title)
        company.later(minutes=1)
    first = browser.get(BOARD).text
    assert "the newer one" in first and "the older one" not in first
    [older] = [str(link["href"]) for link in Page(first).all("a", **{"class": "older"})]
    second = browser.get(older).text
    assert "the older one" in second and not Page(second).all("a", **{"class": "older"})


@pytest.mark.parametrize("query", ["", "?show=ended", "?show=in-need"])
def test_an_empty_board_is_a_sentence(company: Company, browser: TestClient, query: str) -> None:
    text = text_of(browser.get(f"{BOARD}{query}").text)
    sentence = {"": "etappe rollout start PLAN", "?show=ended": "No rollout has ended yet."}
    assert sentence.get(query, "There are no more of them.") in text


@pytest.mark.parametrize("key", [KEYS[0], OLDER])
def test_every_key_opens_it_head_is_served_and_nothing_changes(
    company: Company, browser: TestClient, key: bytes
) -> None:
    company.start(USUAL)
    before = len(company.entries()), len(company.messages())
    address = f"/board/{board_token(key)}"
    assert browser.get(address).status_code == browser.head(address).status_code == 200
    assert browser.get(f"{address}.").status_code == 200  # as mail programs take it from a sentence
    assert browser.post(address).status_code == 405
    assert (len(company.entries()), len(company.messages())) == before


def test_any_other_address_leads_nowhere_and_does_not_say_why(company: Company, browser: TestClient) -> None:
    company.start(USUAL, title="a secret")
    unknown = browser.get(f"/decide/{link_token(KEYS[0], 'nothing', 1)}")
    own, other = page_token(KEYS[0], company.rollout_id), board_token(b"a key of somebody else")
    for path in ("/board/", f"/board/{own}", f"/board/{other}", f"{BOARD}?show=all", f"{BOARD}/more",
                 f"{BOARD}?show=ended&before={company.rollout_id}", f"{BOARD}?before=a%00b", "/board/%ff"):  # fmt: skip
        answer = browser.get(path)
        assert (answer.status_code, answer.text) == (unknown.status_code, unknown.text), path
