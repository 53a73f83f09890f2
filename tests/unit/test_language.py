"""Words, dates and amounts are written for the reader."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from domain.durations import Duration, Every, WeekMoment, read_deadline
from domain.reasons import Reason
from domain.states import DecisionKind, GateState, Outcome, RolloutState, StageState
from notifications.language import Words

GERMAN = Words("de", "Europe/Zurich")
ENGLISH = Words("en", "Europe/Zurich")
AT = datetime(2026, 11, 24, 13, 5, tzinfo=UTC)


def test_a_moment_is_in_the_readers_zone_and_language() -> None:
    assert GERMAN.moment(AT) == "Dienstag, 24. November 2026, 14:05"
    assert ENGLISH.moment(AT) == "Tuesday, 24 November 2026, 14:05"


def test_the_zone_is_named_where_it_is_another_one() -> None:
    assert Words("en", "America/New_York").moment(AT) == "Tuesday, 24 November 2026, 08:05 (New York time)"
    assert Words("de", "America/New_York").moment(AT).endswith("08:05 (Zeit in New York)")
    assert Words("de", "Europe/Berlin").moment(AT) == GERMAN.moment(AT)
    assert Words("de", "UTC").moment(AT).endswith("13:05 (UTC)")
    assert Words("de", "UTC", home_zone="UTC").moment(AT).endswith("13:05")


def test_an_unknown_zone_is_read_as_utc() -> None:
    assert Words("de", "Mars/Olympus").moment(AT).endswith("13:05 (UTC)")


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        GERMAN.moment(AT.replace(tzinfo=None))


def test_days_turn_at_the_readers_midnight() -> None:
    late = datetime(2026, 11, 24, 23, 30, tzinfo=UTC)
    assert GERMAN.day(late) == "25. November 2026"
    assert GERMAN.day(date(2026, 3, 1)) == "1. März 2026"


def test_amounts_are_swiss_in_german_and_british_in_english() -> None:
    assert GERMAN.money(Decimal("1234567.5"), "CHF") == "CHF\u00a01’234’567.50"
    assert ENGLISH.money(Decimal(-12000), "EUR") == "EUR\u00a0-12,000.00"
    assert GERMAN.money(Decimal(5), "") == "5.00"
    assert GERMAN.number(Decimal("1234.50")) == "1’234.5"


def test_facts_are_written_for_the_reader() -> None:
    text = "The value is older than {maximum_age}."
    for fact in (Duration.parse("5 business days"), "5 business days"):
        assert "5 Arbeitstage" in GERMAN.text(text, maximum_age=fact)
    silence = "Nobody's silence counts as a yes: on {moment} the stage is put on hold."
    for moment in (AT, AT.isoformat(), "2026-11-24T13:05:00Z"):
        assert "Am Dienstag, 24. November 2026, 14:05 wird" in GERMAN.say(Reason(silence, {"moment": moment}))
    assert GERMAN.text("The rollout waits here: {problem}", problem=Reason("Say why.")).endswith("Sagen Sie, warum.")
    assert GERMAN.duration(Every.parse("every 2 weeks")) == "alle 2 Wochen"


def test_a_moment_of_the_week_is_in_the_readers_language_also_from_what_was_stored() -> None:
    friday = read_deadline("Friday 12:00")
    assert isinstance(friday, WeekMoment)
    assert (GERMAN.duration(friday), ENGLISH.duration(friday)) == ("Freitag, 12:00", "Friday, 12:00")
    assert GERMAN.say(Reason("{deadline}", {"deadline": "Friday 12:00"})) == "Freitag, 12:00"


def test_what_people_typed_stays_as_it_is() -> None:
    said = GERMAN.text("Back to “{stage}”", stage="{gate} %s {{x}}")
    assert said == "Zurück zu «{gate} %s {{x}}»"


def test_a_sentence_without_facts_may_hold_braces() -> None:
    assert GERMAN.say(Reason("{odd")) == "{odd"


def test_a_sentence_led_by_a_name_is_translated_behind_it() -> None:
    reason = Reason("{name}: {value} is too little; at least {minimum} is needed.",
                    {"name": "Ben", "value": "2", "minimum": "4"})  # fmt: skip
    assert GERMAN.say(reason) == "Ben: 2 ist zu wenig; nötig ist mindestens 4."


def test_an_unknown_language_reads_english() -> None:
    assert Words("fr", "Europe/Paris").text("Say why.") == "Say why."


@pytest.mark.parametrize("kind", DecisionKind)
def test_every_decision_has_a_label_and_a_deed_in_both_languages(kind: DecisionKind) -> None:
    for gate_kind in ("sign-off", "budget", "review", "checklist", "measurement", "acknowledgement"):
        assert GERMAN.decision(kind, gate_kind) != ENGLISH.decision(kind, gate_kind)
        assert GERMAN.said(kind, gate_kind) != ENGLISH.said(kind, gate_kind)


def test_reviews_have_words_of_their_own() -> None:
    assert ENGLISH.decision("approve", "sign-off") == "Yes, approve"
    assert ENGLISH.decision("approve", "review") == "Go"
    assert ENGLISH.decision("hold", "review") == "Hold"
    assert ENGLISH.decision(DecisionKind.REJECT, "review", Outcome.RECYCLE) == "Back to an earlier stage"
    assert ENGLISH.decision("kill", "review") == "Stop for good"
    assert ENGLISH.decision("approve", "acknowledgement") == "I have read it"
    assert GERMAN.said(DecisionKind.REJECT, "review", Outcome.KILL) == "sagt «endgültig beenden»"


@pytest.mark.parametrize("states", [RolloutState, StageState, GateState, Outcome])
def test_every_state_has_words(states: type[RolloutState]) -> None:
    assert len({GERMAN.state(state) for state in states}) == len(states)


@pytest.mark.parametrize(
    ("language", "expected"), [("de", "Anna Keller (abwesend bis 3. Mai)"), ("en", "Anna Keller (away until 3 May)")]
)
def test_whoever_is_away_is_named_with_their_last_day(language: str, expected: str) -> None:
    words = Words(language, "Europe/Zurich")
    assert words.away("Anna Keller", date(2026, 5, 3)) == expected
    assert words.away("Anna Keller", None) == "Anna Keller"
