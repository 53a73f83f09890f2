"""The plan check of gates that settle themselves, of the order of asking, and of what holds when nothing is given."""

from __future__ import annotations

import pytest

from domain.plan_automatic import address_problem
from tests.unit.plan_texts import GOOD, changed, problems, the_problem, with_gate

WINDOW = "id: more\ntitle: More\nkind: window\n"
CHECK = "id: more\ntitle: More\nkind: check\n"
MEASURE = "id: more\ntitle: More\nkind: measurement\nmetric: visits\n"
RUN = "id: more\ntitle: More\nkind: run\ndeployment: shift/sample\n"
SIGN_OFF = "id: more\ntitle: More\nkind: sign-off\nquestion: More?\napprovers: [board]\n"


def expect(text: str, line: int, column: int, *words: str) -> None:
    """Exactly one problem, at this place, and its sentence holds the words."""
    found = the_problem(text)
    assert found[:2] == (line, column), found
    for word in words:
        assert word in found[2], found


class TestWindow:
    @pytest.mark.parametrize(
        "rules",
        [
            "hours: 09:00-17:00",
            "hours: 22:00-04:00",
            "hours: 18:00-24:00",
            "weekdays: [monday, friday]",
            "business_days: true",
            "dates: [{first: 2024-03-02, last: 2024-03-02}]",
            "freezes: [{first: 2026-12-20, last: 2027-01-03}]\nexpires: {after: 3 weeks, outcome: reject}",
        ],
    )
    def test_good_ones(self, rules: str) -> None:
        assert problems(with_gate(WINDOW + rules)) == []

    @pytest.mark.parametrize(
        ("hours", "words"),
        [
            ("9-17", "write two times of the day"),
            ("25:00-26:00", "write two times of the day"),
            ("09:00-24:30", "the last one is 24:00"),
            ("09:00-09:00", "begin when they end"),
        ],
    )
    def test_hours_that_are_none(self, hours: str, words: str) -> None:
        expect(with_gate(f"{WINDOW}hours: {hours}"), 25, 16, words)

    def test_one_that_is_always_open(self) -> None:
        expect(with_gate(WINDOW), 22, 9, "always open", "write dates, weekdays")

    @pytest.mark.parametrize(
        "rules",
        [
            "weekdays: [sunday]\nbusiness_days: true",
            "dates: [{first: 2026-03-02, last: 2026-03-02}]\nweekdays: [tuesday]",
            "dates: [{first: 2026-03-02, last: 2026-03-05}]\nfreezes: [{first: 2026-03-01, last: 2026-03-06}]",
        ],
    )
    def test_one_that_never_opens(self, rules: str) -> None:
        expect(with_gate(WINDOW + rules), 22, 9, "never opens")

    def test_a_last_day_before_the_first(self) -> None:
        expect(with_gate(f"{WINDOW}dates: [{{first: 2026-03-05, last: 2026-03-02}}]"), 25, 17, "change the order")

    def test_going_back_does_not_open_it(self) -> None:
        expect(with_gate(f"{WINDOW}hours: 09:00-17:00\non_reject: {{recycle: first}}"), 26, 20, "write hold or kill")

    def test_a_day_twice_and_one_that_is_none(self) -> None:
        expect(with_gate(f"{WINDOW}weekdays: [monday, monday]"), 25, 28, "named twice")
        expect(with_gate(f"{WINDOW}weekdays: [mon]"), 25, 20, "“mon” is not possible here")

    def test_an_unknown_calendar_is_one_problem(self) -> None:
        text = "calendar: {holidays: CH-XX}\n" + with_gate(f"{WINDOW}business_days: true")
        expect(text, 1, 22, "XX")


class TestNobodyIsAsked:
    QUERIED = MEASURE + "at_least: 1\nqueried: {database: shop, query: SELECT 1 AS value}\n"

    @pytest.mark.parametrize("gate", [f"{WINDOW}hours: 09:00-17:00\n", f"{CHECK}signed_with: ci\n", RUN, QUERIED])
    def test_so_nobody_is_reminded_or_replaced(self, gate: str) -> None:
        [problem] = problems(with_gate(f"{gate}remind: every 2 days"))
        assert "nobody can be reminded" in problem.sentence
        [problem] = problems(with_gate(f"{gate}escalate: [{{after: 2 days, to: owner, replace: true}}]"))
        assert "nobody can be replaced" in problem.sentence
        assert problems(with_gate(f"{gate}escalate: [{{after: 2 days, to: owner}}]")) == []

    def test_a_queried_value_is_brought_by_nobody(self) -> None:
        expect(with_gate(f"{self.QUERIED}measured_by: board"), 28, 22, "leave out this or “queried”")


class TestCheck:
    def test_good_ones(self) -> None:
        assert problems(with_gate(f"{CHECK}signed_with: ci\non_reject: kill")) == []
        assert problems(with_gate(f"{CHECK}asks: https://ci.example.com/status?of=main\ntries: 3")) == []

    def test_both_ways_or_none(self) -> None:
        expect(with_gate(CHECK), 22, 9, "write either signed_with or asks")
        expect(with_gate(f"{CHECK}signed_with: ci\nasks: https://ci.example.com"), 22, 9, "goes one way")

    @pytest.mark.parametrize(
        ("address", "words"),
        [
            ("http://ci.example.com", "write it like https://"),
            ("https://", "the name of the host is missing"),
            ("https://user:word@ci.example.com", "no user and no password"),
            ("https://ci.example.com:https/x", "“https” is not a port"),
            ("https://ci.example.com:0", "“0” is not a port"),
            ("https://ci.example.com:99999", "“99999” is not a port"),
            ("https://ci.example.com/a b", "no blanks"),
            ("https://bücher.example.com", "encoded form"),
            ("https://ci.example.com/x#y", "leave it out"),
            ("https://-ci-", "broken"),
        ],
    )
    def test_an_address_that_cannot_be_asked(self, address: str, words: str) -> None:
        expect(with_gate(f'{CHECK}asks: "{address}"'), 25, 15, words)

    @pytest.mark.parametrize(
        "address",
        [
            "https://a",
            "https://10.0.0.5:8443/x",
            "https://[::1]:8443/x",
            "https://[fd00::1]",
            "https://ci.example.com:443",
        ],
    )
    def test_an_address_that_can(self, address: str) -> None:
        assert address_problem(address) is None

    def test_what_only_matters_when_etappe_asks(self) -> None:
        expect(with_gate(f"{CHECK}signed_with: ci\ntries: 3"), 26, 16, "only used with “asks”")


class TestMeasurement:
    @pytest.mark.parametrize("asked", ["required: true", 'default: "70"', "default: 70"])
    def test_a_target_from_an_input(self, asked: str) -> None:
        text = f"inputs: {{goal: {{kind: number, {asked}}}}}\n" + with_gate(f"{MEASURE}at_least: {{input: goal}}")
        assert problems(text) == []

    @pytest.mark.parametrize(
        ("asked", "words"),
        [
            ("{goal: {kind: number}}", "“goal” may be missing"),
            ("{goal: {kind: text, required: true}}", "does not ask for a number called “goal”"),
            ("{gaol: {kind: number, required: true}}", "did you mean “gaol”"),
            ("{}", "add “goal: {kind: number, required: true}”"),
        ],
    )
    def test_a_target_that_no_input_gives(self, asked: str, words: str) -> None:
        text = f"inputs: {asked}\n" + with_gate(f"{MEASURE}at_least: {{input: goal}}")
        expect(text, 27, 27, words)

    @pytest.mark.parametrize(
        ("query", "words"),
        [
            ("DELETE FROM orders", "begin it with SELECT or WITH"),
            ("selected", "begin it with SELECT or WITH"),
            ("SELECT 1 AS value; DROP TABLE orders", "leave out the “;”"),
        ],
    )
    def test_a_query_that_is_not_one_select(self, query: str, words: str) -> None:
        text = with_gate(f'{MEASURE}at_least: 1\nqueried: {{database: shop, query: "{query}"}}')
        expect(text, 27, 42, words)

    @pytest.mark.parametrize("query", ["SELECT 1 AS value", "with a as (select 1) select * from a"])
    def test_a_query_that_is(self, query: str) -> None:
        assert problems(with_gate(f"{MEASURE}at_least: 1\nqueried: {{database: shop, query: {query}}}")) == []


class TestDefaults:
    @pytest.mark.parametrize(
        ("asked", "words"),
        [
            ("kind: number, default: many", "“many” is not a number"),
            ("kind: date, default: tomorrow", "“tomorrow” is not a date"),
            ("kind: yes-no, default: perhaps", "“perhaps” is not yes or no"),
            ("kind: budget, default: '100'", "a budget has no default"),
            ("kind: number, required: true, default: '1'", "never missing"),
        ],
    )
    def test_one_of_another_kind(self, asked: str, words: str) -> None:
        [problem] = problems(f"inputs: {{given: {{{asked}}}}}\n{GOOD}")
        assert words in problem.sentence

    @pytest.mark.parametrize(
        "asked", ["kind: text, default: as usual", "kind: yes-no, default: no", "kind: date, default: 2026-03-02"]
    )
    def test_good_ones(self, asked: str) -> None:
        assert problems(f"inputs: {{given: {{{asked}}}}}\n{GOOD}") == []


class TestOrderOfAsking:
    def test_after_another_gate_of_the_stage(self) -> None:
        assert problems(with_gate(f"{SIGN_OFF}ask_after: [look-back]")) == []

    @pytest.mark.parametrize(
        ("names", "column", "words"),
        [
            ("[more]", 21, "asked after itself"),
            ("[look-bak]", 21, "did you mean “look-back”"),
            ("[yes-or-no]", 21, "write “needs: [first]” at the stage “second”"),
            ("[look-back, look-back]", 32, "named twice"),
        ],
    )
    def test_after_what_cannot_be_waited_for(self, names: str, column: int, words: str) -> None:
        expect(with_gate(f"{SIGN_OFF}ask_after: {names}"), 27, column, words)

    def test_in_a_circle(self) -> None:
        text = with_gate(f"{SIGN_OFF}ask_after: [look-back]")
        text = changed("id: look-back", "id: look-back\n        ask_after: [more]", text)
        expect(text, 18, 20, "wait for each other", "look-back", "more")

    def test_in_a_circle_through_the_same_person(self) -> None:
        text = with_gate(f"{SIGN_OFF}same_person_as: look-back")
        text = changed("id: look-back", "id: look-back\n        ask_after: [more]", text)
        expect(text, 18, 20, "wait for each other")

    def test_the_same_person_at_a_gate_before(self) -> None:
        assert problems(with_gate(f"{SIGN_OFF}same_person_as: look-back")) == []
        assert problems(with_gate(f"{SIGN_OFF}same_person_as: yes-or-no")) == []
