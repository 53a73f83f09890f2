"""Why something does not go on, in words: what is missing, and who can provide it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from domain.escalation import why_cannot_be_escalated
from domain.explanation import Asked, LostMail, split_command, voices_missing, who_can_provide
from domain.lateness import CHECK_EVERY, CHECK_MAY_REST, is_late
from domain.reasons import Reason
from domain.states import GateState

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
REFUSED, WAITS = LostMail(True, NOON, "550 no such user"), LostMail(False, NOON, "450")


@pytest.mark.parametrize(
    ("kind", "missing", "needed", "binding", "said"),
    [
        ("sign-off", 1, 1, True, "The one approval that it takes is missing."),
        ("sign-off", 1, 3, True, "1 of 3 approvals is missing."),
        ("budget", 2, 3, True, "2 of 3 approvals are missing."),
        ("sign-off", 2, 3, False, "2 of 3 answers are missing."),
        ("acknowledgement", 40, 50, True, "40 of 50 confirmations are missing."),
    ],
)
def test_it_says_how_many_voices_of_which_kind_are_missing(
    kind: str, missing: int, needed: int, binding: bool, said: str
) -> None:
    assert str(voices_missing(kind, missing, needed, binding=binding)) == said


@pytest.mark.parametrize(
    ("people", "said"),
    [
        ([], []),
        ([Asked("a@x", "Anna"), Asked("b@x", "Ben")], ["Waits for Anna, Ben."]),
        (
            [Asked("a@x", "Anna", away_until=date(2026, 5, 3))],
            ["Waits for Anna.", "Anna is away until 2026-05-03, and nobody answers in their place."],
        ),
        (
            [Asked("a@x", "Anna", away_until=date(2026, 5, 3), delegate="Ben"), Asked("b@x", "Ben", "Anna")],
            [
                "Waits for Anna, Ben.",
                "Anna is away until 2026-05-03; Ben answers in their place.",
                "Ben is asked in the place of Anna.",
            ],
        ),
        (
            [Asked("c@x", "Carla", "Anna"), Asked("a@x", "Anna"), Asked("c@x", "Carla", "Ben"), Asked("b@x", "Ben")],
            [
                "Waits for Anna, Ben, Carla.",
                "Carla is asked in the place of Anna.",
                "Carla is asked in the place of Ben.",
            ],
        ),
        (
            [Asked("a@x", "Anna", lost=REFUSED), Asked("b@x", "Ben", lost=REFUSED), Asked("c@x", "Carla", lost=WAITS)],
            [
                "Waits for Anna, Ben, Carla.",
                "May not know of it, as the mail was refused for good: Anna, Ben. The answer was: 550 no such user",
                "May not know of it, as the mail waits since 2026-03-02 12:00:00+00:00: Carla. The last try said: 450",
            ],
        ),
        (
            [Asked("a@x", "Anna", lost=LostMail(False, NOON))],
            [
                "Waits for Anna.",
                "May not know of it, as the mail waits since 2026-03-02 12:00:00+00:00 and nobody has tried to send "
                "it: Anna.",
            ],
        ),
    ],
)
def test_it_says_who_can_provide_it_and_why_they_may_not(people: list[Asked], said: list[str]) -> None:
    assert [str(reason) for reason in who_can_provide(people)] == said


def test_of_a_whole_company_the_first_are_named_and_the_others_counted() -> None:
    company = [Asked(f"{number}@x", f"P{number}") for number in range(200)]
    assert str(who_can_provide(company)[0]) == "Waits for P0, P1, P2, P3, P4, P5, P6, P7 and 192 more."


def test_the_command_of_a_way_out_stands_apart_whatever_a_title_says() -> None:
    said = 'To ask for “Next: etappe two” again: etappe rollout resume abc --reason "why"'
    assert split_command(said) == ("To ask for “Next: etappe two” again", 'etappe rollout resume abc --reason "why"')
    assert split_command("Speak to them.") == ("Speak to them.", "")


def test_a_moment_in_a_reason_is_stored_as_it_will_be_shown() -> None:
    stored = Reason("Since {moment}", {"moment": NOON}).to_json()
    assert Reason.from_json(stored).facts == {"moment": "2026-03-02T12:00:00+00:00"}


@pytest.mark.parametrize("state", GateState)
@pytest.mark.parametrize(("levels_left", "paused"), [(0, False), (1, True), (1, False)])
def test_only_an_open_gate_with_a_level_left_whose_clock_runs_can_be_escalated(
    state: GateState, levels_left: int, paused: bool
) -> None:
    allowed = why_cannot_be_escalated(state, levels_left, paused=paused) is None
    assert allowed == (state is GateState.OPEN and levels_left == 1 and not paused)


def test_something_is_late_once_it_takes_longer_than_it_may_and_never_when_it_does_not_wait() -> None:
    assert CHECK_MAY_REST > 2 * CHECK_EVERY
    assert not is_late(NOON, CHECK_MAY_REST, NOON + CHECK_MAY_REST)
    assert is_late(NOON, CHECK_MAY_REST, NOON + CHECK_MAY_REST + timedelta(seconds=1))
    assert not is_late(None, CHECK_MAY_REST, NOON)
