"""Silence as consent: only when nobody objected and everybody was really asked; said beforehand to all of them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import consequences
from domain.durations import Duration
from domain.plan import Escalation, Expiry, SignOffGate
from domain.silence import nobody_objected, why_no_consent
from domain.states import DecisionKind, Outcome
from notifications.language import Words

APPROVE, CONDITIONS, REJECT = DecisionKind.APPROVE, DecisionKind.APPROVE_WITH_CONDITIONS, DecisionKind.REJECT
CHANGES, ABSTAIN = DecisionKind.REQUEST_CHANGES, DecisionKind.ABSTAIN
NOON = datetime(2026, 3, 9, 11, 0, tzinfo=UTC)
PEOPLE = st.sampled_from(["Anna", "Ben", "Carla", "Dora"])


def gate(**more: object) -> SignOffGate:
    """A gate that passes by silence after five days, unless something else is said."""
    expires = Expiry(after=Duration.parse("5 days"), outcome="pass")
    facts = {"id": "x", "title": "X", "kind": "sign-off", "question": "?", "approvers": ["a@example.com"]}
    return SignOffGate(**{**facts, "silence_is_consent": True, "expires": expires, **more})


def test_when_everybody_was_reached_and_nobody_spoke_it_is_consent() -> None:
    assert why_no_consent({}, [], []) is None


@pytest.mark.parametrize("word", [APPROVE, CONDITIONS, ABSTAIN])
def test_what_is_no_objection_does_not_stand_in_its_way(word: DecisionKind) -> None:
    assert why_no_consent({"Anna": word}, [], []) is None


@pytest.mark.parametrize(
    ("decisions", "not_asked", "not_reached", "sentence"),
    [
        ({"Ben": REJECT, "Anna": APPROVE}, [], [], "because Ben objected"),
        ({"Ben": REJECT, "Carla": REJECT}, [], [], "because Ben, Carla objected"),
        ({"Ben": CHANGES}, [], [], "because Ben asked for changes"),
        ({}, ["Dora"], [], "because not everybody was asked: Dora"),
        ({}, [], ["Dora", "Emil"], "because a mail was not delivered: Dora, Emil"),
    ],
)
def test_the_reason_why_it_is_none_names_people(
    decisions: dict[str, DecisionKind], not_asked: list[str], not_reached: list[str], sentence: str
) -> None:
    assert str(why_no_consent(decisions, not_asked, not_reached)) == f"silence is no consent here, {sentence}"


@given(st.dictionaries(PEOPLE, st.sampled_from(DecisionKind)), st.sets(PEOPLE), st.sets(PEOPLE))
def test_it_is_consent_exactly_when_nothing_speaks_against_it(
    decisions: dict[str, DecisionKind], not_asked: set[str], not_reached: set[str]
) -> None:
    against = [word for word in decisions.values() if word in (REJECT, CHANGES)]
    consent = why_no_consent(decisions, sorted(not_asked), sorted(not_reached)) is None
    assert consent == (not against and not not_asked and not not_reached)


def test_what_it_came_to_names_the_silent() -> None:
    assert str(nobody_objected(["Anna", "Ben"])) == (
        "nobody objected within the time for objections; silent: Anna, Ben"
    )


class TestSaidBefore:
    @pytest.mark.parametrize(
        ("language", "told"),
        [
            ("en", "Silence counts as consent here: if nobody objects by Monday 9 March 2026, 12:00, the gate passes."),
            (
                "de",
                "Schweigen gilt hier als Zustimmung: Ohne Einwand bis Montag, 9. März 2026, 12:00 ist der Prüfpunkt "
                "bestanden.",
            ),
        ],
    )
    def test_in_both_languages_with_the_moment(self, language: str, told: str) -> None:
        reason = consequences.on_silence(gate(), NOON, "", None, "")
        said = Words(language, "Europe/Zurich").say(reason)
        assert said.replace("Monday,", "Monday") == told

    def test_also_where_others_will_be_asked_first(self) -> None:
        step = Escalation(after=Duration.parse("2 days"), to="b@example.com")
        reason = consequences.on_silence(gate(escalate=[step]), NOON, "", datetime(2026, 3, 5, tzinfo=UTC), "Ben")
        assert str(reason).startswith("Silence counts as consent here")

    def test_without_a_moment_while_the_clock_stands_still(self) -> None:
        assert str(consequences.on_silence(gate(), None, "", None, "")) == (
            "Silence counts as consent here: if nobody objects in time, the gate passes."
        )

    def test_with_the_objections_that_stand_in_its_way(self) -> None:
        told = str(consequences.on_silence(gate(), NOON, "", None, "", ["Ben"]))
        assert told.startswith("Silence would count as consent here, but Ben objected or asked for changes")

    def test_nowhere_else(self) -> None:
        held = gate(silence_is_consent=False, expires=Expiry(after=Duration.parse("5 days"), outcome="hold"))
        assert "Nobody's silence counts as a yes" in str(consequences.on_silence(held, NOON, "", None, ""))

    def test_what_an_expiry_comes_to(self) -> None:
        assert consequences.expiry_outcome(gate()) is Outcome.GO
