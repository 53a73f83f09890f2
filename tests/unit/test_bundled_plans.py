"""The bundled plans and sample people: readable without a problem, in both languages, every role held.

That the ten factors really block is tested with a database; here only that each has its gate.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from domain.plan import (
    AcknowledgementGate,
    BudgetGate,
    ChecklistGate,
    FromInput,
    Gate,
    MeasurementGate,
    Plan,
    ReviewGate,
    RunGate,
    SignOffGate,
    Stage,
    Text,
    WindowGate,
    asks_nobody,
)
from domain.stage_graph import comes_before
from plans.catalogue import BUNDLED, Catalogue
from plans.directory import Directory, read_directory

NAMES = ["office-policy", "social-media-introduction", "software-release"]


@pytest.fixture(scope="module")
def sample() -> Directory:
    """The sample people."""
    path = BUNDLED / "people" / "sample.yaml"
    return read_directory(path.read_bytes(), path.name)


@pytest.fixture(scope="module")
def social_media() -> Plan:
    """The bundled plan for introducing social media."""
    return Catalogue().load("social-media-introduction").plan


def gate(plan: Plan, gate_id: str) -> Gate:
    """Return the gate of this id."""
    return next(gate for stage in plan.stages for gate in stage.gates if gate.id == gate_id)


def texts(thing: Any) -> Iterator[Text]:
    """Return every text for people inside of a plan."""
    if isinstance(thing, Text):
        yield thing
    elif isinstance(thing, list | dict):
        for inner in thing.values() if isinstance(thing, dict) else thing:
            yield from texts(inner)
    elif hasattr(thing, "__dict__"):
        yield from texts(vars(thing))


@pytest.mark.parametrize("name", NAMES)
def test_every_text_is_in_german_and_in_english(name: str) -> None:
    found = list(texts(Catalogue().load(name).plan))
    assert len(found) > 10
    assert [text for text in found if not (text.de and text.en)] == []


@pytest.mark.parametrize("name", NAMES)
def test_german_is_spelt_as_in_switzerland(name: str) -> None:
    assert "ß" not in Catalogue().load(name).source


@pytest.mark.parametrize("name", NAMES)
def test_every_role_is_held_by_a_sample_person(name: str, sample: Directory) -> None:
    for role in Catalogue().load(name).plan.roles:
        assert sample.roles.get(role), role


@pytest.mark.parametrize("name", NAMES)
def test_every_role_is_used(name: str) -> None:
    loaded = Catalogue().load(name)
    for role in loaded.plan.roles:
        assert loaded.source.count(role) > 1, role


@pytest.mark.parametrize("name", NAMES)
def test_nobody_is_left_waiting(name: str) -> None:
    plan = Catalogue().load(name).plan
    for stage in plan.stages:
        assert stage.stalled_after, stage.id
        for one in stage.gates:
            assert one.remind or asks_nobody(one), one.id
            assert one.escalate, one.id
            assert one.expires, one.id


@pytest.mark.parametrize("name", NAMES)
def test_an_escalation_reaches_somebody_new(name: str, sample: Directory) -> None:
    for stage in Catalogue().load(name).plan.stages:
        for one in stage.gates:
            asked = {person for role in getattr(one, "approvers", []) for person in sample.roles[role]}
            for step in one.escalate:
                if step.to in sample.roles:
                    assert set(sample.roles[step.to]) - asked, one.id


def test_the_requester_of_the_examples_decides_nothing(social_media: Plan, sample: Directory) -> None:
    held = {role for role, members in sample.roles.items() if "lea.brunner@example.com" in members}
    assert held == {"project-lead"}
    for stage in social_media.stages:
        for one in stage.gates:
            assert "project-lead" not in getattr(one, "approvers", [])


def test_the_sample_is_mixed(sample: Directory) -> None:
    assert {person.language for person in sample.people} == {"de", "en"}
    assert {person.time_zone for person in sample.people} > {"Europe/Zurich"}
    assert any(person.email.endswith("@example.org") for person in sample.people)
    assert any(person.assistant for person in sample.people)


def test_some_stages_run_side_by_side(social_media: Plan) -> None:
    needs = social_media.needs()
    after_the_concept = {stage for stage, before in needs.items() if before == ["concept"]}
    assert after_the_concept == {"staffing", "budget", "organisation", "outside-view", "targets"}


class TestTheTenFactors:
    """For each factor the gate that stands for it."""

    def test_1_the_whole_board_commits_itself(self, social_media: Plan, sample: Directory) -> None:
        one = gate(social_media, "executive-sign-off")
        assert isinstance(one, SignOffGate)
        assert (one.approvers, one.quorum) == (["executive-board"], "all")
        assert len(sample.roles["executive-board"]) == 3

    def test_2_the_concept_has_a_time_box(self, social_media: Plan) -> None:
        one = gate(social_media, "concept-review")
        assert isinstance(one, ReviewGate)
        (step,) = one.escalate
        assert (str(step.after), step.to, step.replace) == ("15 business days", "sponsor", True)
        assert step.choices == one.choices == ["go", "kill"]

    def test_3_enough_people(self, social_media: Plan) -> None:
        one = gate(social_media, "staffing-list")
        assert isinstance(one, ChecklistGate)
        people, hours = one.items[0], one.items[1]
        assert (people.kind, people.minimum) == ("people", Decimal(2))
        assert (hours.each, hours.people_from, hours.minimum) == (True, "team", Decimal(4))
        assert one.approvers == ["hr"]

    def test_4_money(self, social_media: Plan) -> None:
        one = gate(social_media, "budget-approval")
        assert isinstance(one, BudgetGate)
        assert [(band.above, band.approvers) for band in one.bands] == [(Decimal(25000), ["finance-head"])]

    def test_5_waves(self, social_media: Plan) -> None:
        needs = social_media.needs()
        assert comes_before(needs, "wave-one", "wave-two")
        assert comes_before(needs, "wave-two", "wave-three")
        for wave in ("wave-one", "wave-two", "wave-three"):
            assert isinstance(gate(social_media, f"{wave}-review"), ReviewGate)

    def test_6_organisation(self, social_media: Plan) -> None:
        one = gate(social_media, "organisation-list")
        assert isinstance(one, ChecklistGate)
        assert {"responsible", "team", "meetings-per-month"} <= {item.id for item in one.items}

    def test_7_pilot(self, social_media: Plan) -> None:
        one = gate(social_media, "pilot-review")
        assert isinstance(one, ReviewGate)
        assert one.choices == ["go", "hold", "recycle", "kill"]
        assert one.lessons

    def test_8_targets_come_before_every_measurement(self, social_media: Plan) -> None:
        needs = social_media.needs()
        measured = [
            stage.id for stage in social_media.stages for one in stage.gates if isinstance(one, MeasurementGate)
        ]
        assert measured == ["pilot", "wave-one", "wave-two"]
        assert all(comes_before(needs, "targets", stage) for stage in measured)

    def test_9_the_staff_know(self, social_media: Plan) -> None:
        one = gate(social_media, "announcement-read")
        assert isinstance(one, AcknowledgementGate)
        assert (one.share, one.audience) == ("80 %", ["all-staff"])
        assert one.invite_comment
        assert comes_before(social_media.needs(), "announcement", "wave-one")

    def test_10_an_outsider_is_heard_and_does_not_bind(self, social_media: Plan, sample: Directory) -> None:
        one = gate(social_media, "adviser-review")
        assert isinstance(one, SignOffGate)
        assert not one.binding
        assert sample.roles["adviser"] == ["oliver.berg@example.org"]


class TestSoftwareRelease:
    """In waves: traffic is shifted, figures are looked at, and only then is anybody asked."""

    @pytest.fixture
    def plan(self) -> Plan:
        return Catalogue().load("software-release").plan

    @pytest.fixture
    def waves(self, plan: Plan) -> list[Stage]:
        return plan.stages[1:]

    def test_each_wave_gives_the_release_more_of_the_traffic(self, waves: list[Stage]) -> None:
        runs = [one for wave in waves for one in wave.gates if isinstance(one, RunGate)]
        assert [one.parameters["percent"] for one in runs] == ["1", "10", "50", "100"]
        assert {one.deployment for one in runs} == {"shift-traffic/sample"}
        assert all(one.parameters["release"] == FromInput(input="release") for one in runs)

    def test_one_rollout_at_a_time_shifts_the_traffic(self, plan: Plan) -> None:
        shifting = [stage for stage in plan.stages if any(isinstance(one, RunGate) for one in stage.gates)]
        assert {stage.exclusive for stage in shifting} == {"production"}
        assert [stage.exclusive for stage in plan.stages if stage not in shifting] == [None]

    def test_figures_come_after_the_shift_and_people_after_the_figures(self, waves: list[Stage]) -> None:
        for wave in waves:
            [shift] = [one.id for one in wave.gates if isinstance(one, RunGate)]
            figures = [one for one in wave.gates if isinstance(one, MeasurementGate)]
            people = [one for one in wave.gates if isinstance(one, SignOffGate | ReviewGate)]
            assert [one.ask_after for one in figures] == [[shift], [shift]]
            assert [one.ask_after for one in people] == [[one.id for one in figures]]
            assert all(one.minimum_sample and one.maximum_age and one.waiver for one in figures)

    def test_a_value_counts_in_the_wave_it_was_measured_in(self, waves: list[Stage]) -> None:
        metrics = [one.metric for wave in waves for one in wave.gates if isinstance(one, MeasurementGate)]
        assert len(set(metrics)) == len(metrics) == 8

    def test_the_targets_are_inputs_that_need_not_be_given(self, plan: Plan, waves: list[Stage]) -> None:
        targets = {str(one.at_most) for wave in waves for one in wave.gates if isinstance(one, MeasurementGate)}
        assert targets == {str(FromInput(input=name)) for name in ("error-limit", "response-limit")}
        assert (plan.inputs["error-limit"].default, plan.inputs["response-limit"].default) == ("1", "400")

    def test_all_of_the_traffic_is_shifted_in_office_hours_only(self, waves: list[Stage]) -> None:
        window, shift = waves[-1].gates[:2]
        assert isinstance(window, WindowGate)
        assert window.business_days
        assert shift.ask_after == [window.id]

    def test_whoever_approves_the_release_does_not_roll_it_out(self, waves: list[Stage], sample: Directory) -> None:
        people = [one for wave in waves for one in wave.gates if isinstance(one, SignOffGate | ReviewGate)]
        assert [one.different_people_than for one in people] == [["release-approval"]] * 4
        assert not set(sample.roles["release-manager"]) & set(sample.roles["engineering-lead"])
