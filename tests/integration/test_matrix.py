"""Seven roles by every channel, for everything that somebody might do at a gate: no cell is wrong.

The roles meet at one gate: whoever asked for the rollout, an approver, her delegate, somebody escalated to, somebody
whose question was passed on, an administrator, and a stranger. The channels are the link from a mail, the API with a
token, and the command line. (A signed-in page would be one more caller of the same operation.)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cli.main import main
from domain.errors import EtappeError
from models.database import Database
from operations.record_decision import DecisionForm, record_decision
from tests.api_client import Api
from tests.company import KEYS, Company
from tests.sample_plans import ROLES

LEA, ANNA, FRITZ, EMIL = "lea@example.com", "anna@example.com", "fritz@example.com", "emil@example.com"
BEN, CARLA, DORA = "ben@example.com", "carla@example.com", "dora@example.com"
HANS, GINA = "hans@example.com", "gina@example.com"
WHO = {
    "requester": LEA,
    "approver": ANNA,
    "delegate": FRITZ,
    "escalated-to": EMIL,
    "former assignee": BEN,
    "stranger": HANS,
    "administrator": GINA,
}
PEOPLE = """
people:
  - {email: lea@example.com, name: Lea Brunner}
  - {email: anna@example.com, name: Anna Keller}
  - {email: ben@example.com, name: Ben Frei}
  - {email: carla@example.com, name: Carla Rossi}
  - {email: dora@example.com, name: Dora Meier}
  - {email: emil@example.com, name: Emil Vogt}
  - {email: fritz@example.com, name: Fritz Haas}
  - {email: gina@example.com, name: Gina Lutz}
  - {email: hans@example.com, name: Hans Roth}
roles:
  board: [anna@example.com, ben@example.com, lea@example.com]
  chair: [emil@example.com]
  finance: [dora@example.com]
  finance-head: [emil@example.com]
  staff: [dora@example.com]
  administrator: [gina@example.com]
"""
PLAN = f"""
plan: matrix
title: Matrix
{ROLES}
inputs:
  concept: {{kind: text, title: Concept}}
stages:
  - id: only
    title: Only stage
    gates:
      - {{id: gate, title: The gate, kind: sign-off, question: "Shall we?", approvers: [board], quorum: all,
         escalate: [{{after: 1 day, to: chair}}], waiver: [chair]}}
"""

MAY = {
    "decide": {"approver", "escalated-to"},
    "decide for the approver": {"delegate"},
    "decide for somebody else": set[str](),
    "waive": {"escalated-to"},  # the plan names the chair
    "reassign": {"administrator"},  # and the owner, who is none of the seven
    "add an approver": {"administrator"},
    "change an input": {"requester", "administrator"},
    "call off": {"requester", "administrator"},
    "lend somebody's voice": {"administrator"},
}
"""Who may do what, whatever the channel. The owner and the operator may look after the rollout as well."""


@dataclass(frozen=True)
class Scene:
    """The gate at which all seven have met."""

    company: Company
    api: Api
    command: Callable[..., int]

    @property
    def gate(self) -> str:
        return f"/rollouts/{self.company.rollout_id}/gates/gate"


@pytest.fixture
def scene(db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scene:
    company = Company(db, now=datetime.now(UTC) - timedelta(days=3), directory=PEOPLE)
    company.start(PLAN, owner=DORA, inputs={"concept": "the first one"})
    company.lends(ANNA, FRITZ)
    company.reassigns(BEN, CARLA, by=DORA)
    company.later(days=2)
    company.checks()
    company.now = datetime.now(UTC)
    assert set(company.gate()["waiting_for"]) == {ANNA, CARLA, FRITZ, EMIL}
    monkeypatch.setenv("ETAPPE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ETAPPE_DATABASE_URL", db.url)
    monkeypatch.setenv("ETAPPE_SECRET_KEYS", KEYS[0].decode())

    def command(*arguments: str) -> int:
        return main(arguments)

    return Scene(company, Api(company, tmp_path), command)


def by_link(scene: Scene, person: str, action: str) -> bool:
    """Decide by the newest link that somebody was ever mailed; whoever has none has nothing to try."""
    company = scene.company
    behalf = {"decide": "", "decide for the approver": ANNA, "decide for somebody else": CARLA}[action]
    mine = [request for request in company.requests(person) if request.on_behalf_of == behalf]
    if not mine:
        return False
    form = DecisionForm("approve", company.code(mine[-1]), company.page(mine[-1]).digest)
    try:
        record_decision(company.db, KEYS, company.token(mine[-1]), form, company.now)
    except EtappeError:
        return False
    return True


def by_api(scene: Scene, person: str, action: str) -> bool:
    post, gate, rollout = scene.api.post, scene.gate, f"/rollouts/{scene.company.rollout_id}"
    tomorrow = (scene.company.now + timedelta(days=1)).date().isoformat()
    answers = {
        "decide": lambda: scene.api.decides(person),
        "decide for the approver": lambda: scene.api.decides(person, on_behalf_of=ANNA),
        "decide for somebody else": lambda: scene.api.decides(person, on_behalf_of=CARLA),
        "waive": lambda: post(person, f"{gate}/waive", {"reason": "the fair is on Friday"}),
        "reassign": lambda: post(person, f"{gate}/reassign", {"from": CARLA, "to": HANS, "reason": "on leave"}),
        "add an approver": lambda: post(person, f"{gate}/approvers", {"person": HANS, "reason": "knows the law"}),
        "change an input": lambda: post(person, f"{rollout}/inputs", {"inputs": {"concept": "b"}, "reason": "better"}),
        "call off": lambda: post(person, f"{rollout}/cancel", {"reason": "no longer wanted"}),
        "lend somebody's voice": lambda: post(
            person, "/delegations", {"person": CARLA, "to": HANS, "from": tomorrow, "until": tomorrow}
        ),
    }
    answer = answers[action]()
    assert answer.status_code < 500, answer.text
    assert answer.status_code != 422, answer.text
    return bool(answer.is_success)


def by_command(scene: Scene, person: str, action: str) -> bool:
    rollout = scene.company.rollout_id
    tomorrow = (scene.company.now + timedelta(days=1)).date().isoformat()
    at, why = (rollout, "gate", "--by", person), ("--reason", "there is one")
    decide = ("gate", "decide", *at, "--decision", "approve")
    commands = {
        "decide": decide,
        "decide for the approver": (*decide, "--on-behalf-of", ANNA),
        "decide for somebody else": (*decide, "--on-behalf-of", CARLA),
        "waive": ("gate", "waive", *at, *why),
        "reassign": ("gate", "reassign", *at, *why, "--from", CARLA, "--to", HANS),
        "add an approver": ("gate", "add-approver", *at, *why, "--person", HANS),
        "change an input": ("rollout", "change", rollout, "--set", "concept=b", "--by", person, *why),
        "call off": ("rollout", "cancel", rollout, "--by", person, *why),
        "lend somebody's voice": (
            "people", "delegate", CARLA, "--to", HANS, "--from", tomorrow, "--until", tomorrow, "--by", person,
        ),
    }  # fmt: skip
    code = scene.command(*commands[action])
    assert code in (0, 1), f"{action} is not what a command takes"
    return code == 0


CHANNELS = {"link": by_link, "api": by_api, "command": by_command}
CELLS = [
    (action, role, channel)
    for action in MAY
    for role in WHO
    for channel in CHANNELS
    if channel != "link" or action.startswith("decide")
]


@pytest.mark.parametrize(("action", "role", "channel"), CELLS)
def test_no_cell_is_wrong(scene: Scene, action: str, role: str, channel: str) -> None:
    before = scene.company.rollout()
    entries = len(scene.company.entries())
    done = CHANNELS[channel](scene, WHO[role], action)
    assert done is (role in MAY[action]), f"{role}, {action}, by {channel}: {done}"
    if not done:
        assert scene.company.rollout() == before
        assert len(scene.company.entries()) == entries


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize(("role", "behalf"), [("approver", ""), ("delegate", ANNA), ("escalated-to", "")])
def test_the_record_says_who_for_whom_and_by_which_channel(scene: Scene, role: str, behalf: str, channel: str) -> None:
    assert CHANNELS[channel](scene, WHO[role], "decide for the approver" if behalf else "decide")
    [entry] = scene.company.entries("decision.recorded")
    assert (entry.actor, entry.on_behalf_of or "", entry.channel) == (WHO[role], behalf, channel)
    [decision] = scene.company.gate()["decisions"]
    assert (decision["by"], decision["on_behalf_of"] or "") == (WHO[role], behalf)


def test_a_link_without_its_code_is_nobodys(scene: Scene) -> None:
    request = next(row for row in scene.company.requests(ANNA) if not row.on_behalf_of)
    wrong = f"{(int(scene.company.code(request)) + 1) % 1_000_000:06d}"
    with pytest.raises(EtappeError, match="code"):
        scene.company.try_code(request, wrong)
    assert scene.company.gate()["decisions"] == []
