"""By link, by token or by command: a word is checked, recorded and followed alike.

Whoever is not asked is refused the same everywhere, and learns nothing of what is asked.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from domain.conditions import TypedCondition
from domain.errors import EvidenceChanged, GateSettled, InvalidInput, NotEligible, UnknownRollout
from models.database import Database
from models.requests import Decision, RequestState, decisions_of
from tests.company import Company
from tests.integration.test_two_at_once import deciding, decisions_in, race
from tests.sample_plans import LATER, SIGN_OFF, one_gate

ANNA, BEN, CARLA, DORA = "anna@example.com", "ben@example.com", "carla@example.com", "dora@example.com"
CHANNELS = ("api", "command")
PRESSED = {"link": "link-code", "api": "token", "command": "operator"}
REVIEW = 'kind: review, question: "How did it go?", approvers: [board], choices: [go, hold, recycle], recycle_to: only'


@pytest.fixture
def company(db: Database) -> Company:
    """A company with people in it."""
    return Company(db)


def decide(company: Company, channel: str, person: str, decision: str = "approve", **words: Any) -> None:
    """Let a person decide by a channel."""
    if channel == "link":
        company.decides(person, decision, request=None, **words)
    else:
        company.says(person, decision, channel=channel, **words)


def decisions(company: Company) -> list[Decision]:
    with company.db.read() as session:
        return list(session.scalars(decisions_of(company.rollout_id)))


def told(row: Any, *left_out: str) -> dict[str, Any]:
    return {column.name: getattr(row, column.name) for column in row.__table__.columns if column.name not in left_out}


def recorded_by(company: Company, channel: str, decision: str, **words: Any) -> tuple[list[Any], list[Any], list[Any]]:
    """What is left of one decision by this channel: decisions, the record, messages; without names made by chance."""
    company.start(one_gate(SIGN_OFF) + LATER)
    before = company.rollout_id
    decide(company, channel, BEN, decision, **words)
    chance = ("id", "rollout_id", "gate_id", "request_id", "shown_digest", "previous_hash", "entry_hash", "sequence")
    channels = ("channel", "assurance")
    entries = [told(entry, *chance, *channels, "facts") for entry in company.entries()]
    messages = [(message.topic, message.recipient) for message in company.messages()]
    assert before == company.rollout_id
    return [told(row, *chance, *channels) for row in decisions(company)], entries, messages


@pytest.mark.parametrize(
    ("decision", "words"),
    [
        ("approve", {}),
        ("approve-with-conditions", {"conditions": [TypedCondition("check it", CARLA, "2026-03-09")]}),
        ("reject", {"comment": "too early"}),
        ("request-changes", {"comment": "numbers, please"}),
        ("abstain", {"comment": "not my field"}),
    ],
)
@pytest.mark.parametrize("channel", CHANNELS)
def test_a_decision_leaves_the_same_behind_whichever_way_it_comes(
    company: Company, channel: str, decision: str, words: dict[str, Any]
) -> None:
    assert recorded_by(company, channel, decision, **words) == recorded_by(company, "link", decision, **words)


@pytest.mark.parametrize("channel", ["link", *CHANNELS])
def test_the_record_says_by_which_channel_and_how_sure_it_is_of_the_person(company: Company, channel: str) -> None:
    company.start(one_gate(SIGN_OFF))
    decide(company, channel, BEN)
    [entry] = company.entries("decision.recorded")
    [word] = decisions(company)
    assert (entry.actor, entry.channel, entry.assurance) == (BEN, channel, PRESSED[channel])
    assert (word.person, word.channel, word.assurance) == (BEN, channel, PRESSED[channel])


@pytest.mark.parametrize("first", ["link", *CHANNELS])
@pytest.mark.parametrize("second", ["link", *CHANNELS])
def test_the_same_word_by_another_channel_is_answered_with_what_was_recorded(
    company: Company, first: str, second: str
) -> None:
    company.start(one_gate(SIGN_OFF))
    request = company.asked(BEN)
    decide(company, first, BEN, "reject", comment="too early")
    if second == "link":
        page = company.decides(BEN, "reject", request=request, comment="too early")
    else:
        page = company.says(BEN, "reject", channel=second, comment="too early")
    assert page.mine is not None
    assert (page.mine.comment, page.state) == ("too early", RequestState.DONE)
    assert len(decisions(company)) == 1


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_word_sent_again_after_it_began_a_new_round_is_the_one_that_was_recorded(
    company: Company, channel: str
) -> None:
    company.start(one_gate(REVIEW))
    digest = company.page(company.asked(BEN)).digest
    decide(company, channel, BEN, "recycle", comment="once more", digest=digest)
    assert company.gate()["round"] == 2
    page = company.says(BEN, "recycle", channel=channel, comment="once more", digest=digest)
    assert page.mine is not None
    assert (page.question.round, page.mine.comment) == (1, "once more")
    assert len(decisions(company)) == 1
    with pytest.raises(GateSettled):
        company.says(BEN, "approve", channel=channel, digest=digest)


@pytest.mark.parametrize("channel", CHANNELS)
def test_another_word_after_the_last_one_comes_too_late(company: Company, channel: str) -> None:
    company.start(one_gate(SIGN_OFF))
    decide(company, channel, BEN)
    with pytest.raises(GateSettled):
        company.says(BEN, "reject", channel=channel, comment="no, after all")
    assert [word.decision for word in decisions(company)] == ["approve"]


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize("digest", ["", "0" * 64])
def test_nothing_is_recorded_about_something_else_than_was_shown(company: Company, channel: str, digest: str) -> None:
    company.start(one_gate(SIGN_OFF))
    with pytest.raises(EvidenceChanged):
        company.says(BEN, channel=channel, digest=digest)
    assert decisions(company) == []


@pytest.mark.parametrize("channel", CHANNELS)
def test_what_is_missing_is_said_for_each_field(company: Company, channel: str) -> None:
    company.start(one_gate(SIGN_OFF))
    with pytest.raises(InvalidInput) as refused:
        company.says(BEN, "reject", channel=channel, comment="no", conditions=[company.condition()])
    assert refused.value.fields.keys() == {"condition-1-what"}
    with pytest.raises(InvalidInput) as refused:
        company.says(BEN, "reject", channel=channel)
    assert refused.value.fields.keys() == {"comment"}


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize("gate", ["gate", "no-such-gate"])
@pytest.mark.parametrize("person", [DORA, "lea@example.com", "stranger@example.com"])
def test_whoever_is_not_asked_learns_only_that(company: Company, channel: str, gate: str, person: str) -> None:
    company.start(one_gate(SIGN_OFF))
    with pytest.raises(NotEligible, match=f"{person} is not asked at the gate “{gate}”."):
        company.says(person, gate=gate, channel=channel)
    assert decisions(company) == []


def test_nobody_decides_by_the_request_of_somebody_else(company: Company) -> None:
    company.start(one_gate(SIGN_OFF))
    with pytest.raises(NotEligible):
        company.says(BEN, on_behalf_of=ANNA)
    assert decisions(company) == []


def test_an_unknown_rollout_is_said(company: Company) -> None:
    company.rollout_id = "zzzzzzzz"
    with pytest.raises(UnknownRollout):
        company.says(BEN)


def test_a_list_is_not_decided_by_whoever_is_asked_to_fill_it_in(company: Company) -> None:
    items = "[{id: people, title: People, kind: people, minimum: 2}]"
    company.start(one_gate(f'kind: checklist, question: "Who?", filled_by: {ANNA}, items: {items}'))
    with pytest.raises(InvalidInput, match="filled in, not for a decision"):
        company.says(ANNA)


def test_whoever_was_asked_before_and_is_no_longer_is_told_so(company: Company) -> None:
    company.start(one_gate(f"{SIGN_OFF}, escalate: [{{after: 1 day, to: chair, replace: true}}]"))
    company.later(days=2)
    company.checks()
    with pytest.raises(GateSettled):
        company.says(BEN)
    assert company.says("emil@example.com").mine is not None


def test_one_person_by_all_channels_at_once_decides_once(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(f"{SIGN_OFF}, quorum: all"))
    by_link = deciding(company, ANNA)
    pages = race([by_link, lambda: company.says(ANNA), lambda: company.says(ANNA, channel="command")] * 4)
    assert not [page for page in pages if isinstance(page, Exception)]
    assert (decisions_in(db), len(company.messages("receipt", ANNA))) == (1, 1)
    assert Counter(company.actions())["decision.recorded"] == 1


def test_of_yes_by_link_and_no_by_token_at_once_one_is_recorded(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(f"{SIGN_OFF}, quorum: majority"))
    came_back = race([deciding(company, ANNA), lambda: company.says(ANNA, "reject", comment="no")] * 4)
    assert decisions_in(db) == 1
    assert sum(isinstance(page, GateSettled) for page in came_back) == 4


def test_the_only_voice_needed_is_taken_from_one_of_two_people_by_two_channels(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(f"{SIGN_OFF}, quorum: any"))
    came_back = race([deciding(company, ANNA), lambda: company.says(BEN), lambda: company.says(CARLA)])
    assert (company.state, decisions_in(db)) == ("completed", 1)
    assert sum(isinstance(page, GateSettled) for page in came_back) == 2
