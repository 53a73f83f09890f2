"""Two of each, as deploy/ has them: while people decide, one web process, one relay, one worker and one Prefect server
are killed.

They are processes of this machine (`make cluster`) or containers (`make containers`), and nobody starts them again; or
pods of a Kubernetes cluster (`make pods`), which does. What none of them shows is a machine that vanishes together with
its connections.
"""

from __future__ import annotations

from collections import Counter

from models.outbox import MessageState
from tests.cluster.story import DECISIONS, ROLLOUTS, Cluster, Killed, Story
from tests.flows.test_times_of_bars import drawn, remembered

PASSED = {"Stage: Approval", "Gate: Policy sign-off", "Stage: Announcement", "Gate: Policy read"}


def killed(story: Story) -> Killed:
    """What was killed, which must have been in the middle of something."""
    assert story.killed
    return story.killed


def test_all_were_up_without_being_started_again(story: Story) -> None:
    assert not story.cluster.restarts


def test_those_that_are_killed_had_something_in_hand_and_stay_away(story: Story) -> None:
    kinds = Counter(name.rpartition("-")[0] for name in killed(story).names)
    assert kinds == {"web": 1, "relay": 1, "worker": 1, "prefect-server": 1}
    assert killed(story).mails_in_hand and killed(story).flow_runs
    assert 0 < killed(story).decisions_before < DECISIONS
    dead = {replica.name for name in kinds for replica in story.cluster.replicas[name] if replica.is_gone}
    assert dead == set(killed(story).names)


def test_every_decision_is_answered(story: Story) -> None:
    assert story.answers == {200: DECISIONS}


def test_every_rollout_is_completed_and_every_record_holds(story: Story) -> None:
    assert story.states() == {"completed": ROLLOUTS}
    assert story.verified.startswith(f"{ROLLOUTS} records of {ROLLOUTS} hold;"), story.verified


def test_everybody_is_told_everything(story: Story) -> None:
    """Dropped are questions alone, which were answered before they could be asked once more."""
    unsent = {(message.state, message.topic) for message in story.messages()} - {
        (MessageState.SENT, topic) for topic in ("request", "receipt", "outcome", "information")
    }
    assert unsent <= {(MessageState.DROPPED, "request")}
    told = Counter(kind for _, kind, _, _ in {mail.about for mail in story.office.mails})
    assert (told["request"], told["receipt"]) == (DECISIONS, DECISIONS)


def test_what_the_dead_relay_had_in_hand_comes_again(story: Story) -> None:
    """With its Message-ID, though it may say by then that others have answered."""
    for message_id in killed(story).mails_in_hand:
        first, *again = story.office.by_id()[message_id]
        assert again and all(mail.at > killed(story).at and mail.about == first.about for mail in again), first


def test_nothing_else_comes_twice(story: Story) -> None:
    for message_id, mails in story.office.by_id().items():
        assert len(mails) == 1 or message_id in killed(story).mails_just_brought
    told: dict[tuple[str, ...], set[str]] = {}
    for mail in story.office.mails:
        told.setdefault(mail.about, set()).add(mail.id)
    for about, ids in told.items():
        if about[-1] != "None":
            assert len(ids) == 1, about


def test_every_flow_run_is_completed(story: Story) -> None:
    assert Counter(story.flow_runs().values()) == {"Completed": ROLLOUTS}
    assert len(story.flow_runs()) == ROLLOUTS


def test_every_page_has_its_bars_with_their_true_times_and_one_table(story: Story) -> None:
    etappe = story.etappe
    for rollout_id in story.rollouts:
        flow_run_id = str(etappe.row(rollout_id).flow_run_id)
        bars = etappe.bars(flow_run_id)
        assert {name.partition(" (")[0] for name in bars} == PASSED and set(bars.values()) == {"Passed"}, bars
        assert drawn(etappe, flow_run_id) == remembered(etappe, rollout_id)
        [table] = etappe.tables(flow_run_id)
        assert table["type"] == "table"


def test_prefects_recorder_writes_together_what_comes_over_redis(story: Story) -> None:
    states, transactions = story.written()
    assert transactions < states * 0.6, (states, transactions)


def test_nothing_is_left_running(cluster: Cluster, story: Story) -> None:
    cluster.stop()
    assert cluster.left_running() == []
