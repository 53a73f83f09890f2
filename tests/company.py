"""A company to test with: a database with people in it, a clock that stands still until told, and everybody's links."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import BytesIO
from typing import Any

from sqlalchemy import event, select

from domain import links
from domain.budget import BudgetLine
from domain.conditions import TypedCondition
from domain.delegation import Term
from domain.reasons import Reason
from models.database import Database
from models.outbox import Message, MessageState, messages_of
from models.record import AuditEntry, entries_of
from models.requests import Purpose, Request, RequestState, requests_of
from models.rollouts import PlanVersion, Rollout
from operations.add_approver import add_approver
from operations.advance import advance
from operations.answer_changes import Answer, answer_changes_by_link
from operations.attach import NewFile, attach_file, attach_link
from operations.be_away import be_away
from operations.cancel_rollout import cancel_rollout
from operations.change_inputs import change_inputs
from operations.check_stalled import CheckReport, check_stalled
from operations.come_back import come_back
from operations.delegate import delegate, end_delegation
from operations.describe_rollout import describe_rollout
from operations.detach import detach
from operations.import_people import import_people
from operations.list_attachments import list_attachments
from operations.migrate_rollout import migrate_rollout, preview_migration
from operations.migration import Move
from operations.reassign import reassign
from operations.record_answers import record_answers
from operations.record_decision import DecisionForm, record_decision, record_decision_as
from operations.record_measurement import record_measurement
from operations.resume_rollout import resume_rollout
from operations.settle_message import bury, settle_messages
from operations.show_gate import show_gate
from operations.show_request import RequestPage, show_request
from operations.start_rollout import Start, start_rollout
from operations.take_turns import take_turns
from operations.waive_gate import waive_gate
from operations.workspace import Actor
from plans.directory import read_directory
from plans.reading import read_plan

KEYS = (b"a secret that only the tests know",)
OLDER = b"the key that was used before this one"
MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)  # a Monday without a holiday near
REQUESTER = "lea@example.com"
ANNA, BEN, CARLA, DORA, EMIL = (f"{name}@example.com" for name in ("anna", "ben", "carla", "dora", "emil"))
FRITZ, GINA, HUGO = "fritz@example.com", "gina@example.com", "hugo@example.com"
"""In the directory of tests/lending.py only."""
ASSURANCE = {"api": "token", "command": "operator"}

PEOPLE = """
people:
  - {email: lea@example.com, name: Lea Brunner, language: de}
  - {email: anna@example.com, name: Anna Keller, language: de}
  - {email: ben@example.com, name: Ben Frei, language: en}
  - {email: carla@example.com, name: Carla Rossi, language: en}
  - {email: dora@example.com, name: Dora Meier, language: de}
  - {email: emil@example.com, name: Emil Vogt, language: de}
roles:
  board: [anna@example.com, ben@example.com, carla@example.com]
  finance: [dora@example.com]
  finance-head: [emil@example.com]
  chair: [emil@example.com]
  staff: [ben@example.com, carla@example.com, dora@example.com, emil@example.com]
"""


def without_waiting_for_the_disk(db: Database) -> None:
    """For proofs of rules, not of the disk: that is tests/integration/test_crash.py."""
    event.listen(db.engine, "connect", lambda connection, record: connection.execute("PRAGMA synchronous = OFF"))


@dataclass
class Company:
    """Drives the operations the way people do: by their links."""

    db: Database
    now: datetime = MONDAY
    rollout_id: str = ""
    directory: str = PEOPLE
    sources: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.import_people(self.directory)

    def import_people(self, text: str) -> None:
        """Import a directory file."""
        import_people(self.db, read_directory(text, "people.yaml"), self.now)

    def start(
        self,
        source: str,
        *,
        title: str = "A rollout",
        budget: Mapping[str, str] | None = None,
        people: Mapping[str, Sequence[str]] | None = None,
        inputs: Mapping[str, Any] | None = None,
        **more: Any,
    ) -> str:
        """Start a rollout of a plan given as YAML, and make it the one that is talked about."""
        lines = [BudgetLine(item=item, amount=Decimal(amount)) for item, amount in (budget or {}).items()]
        more.setdefault("requester", REQUESTER)
        start = Start(read_plan(source, "plan.yaml"), source, title, budget=lines, people=people or {},
                      inputs=inputs or {}, **more)  # fmt: skip
        self.rollout_id = start_rollout(self.db, KEYS, start, self.now)
        return self.rollout_id

    def later(self, **span: float) -> None:
        """Let time pass."""
        self.now += timedelta(**span)

    def rollout(self) -> dict[str, Any]:
        """The rollout as the command line describes it."""
        return describe_rollout(self.db, self.rollout_id, self.now)

    @property
    def state(self) -> str:
        """The rollout's state."""
        return str(self.rollout()["state"])

    def stage_states(self) -> dict[str, str]:
        """Each stage's state."""
        return {stage["id"]: stage["state"] for stage in self.rollout()["stages"]}

    def gate(self, key: str = "gate") -> dict[str, Any]:
        """One gate as the command line describes it."""
        gates = [gate for stage in self.rollout()["stages"] for gate in stage["gates"]]
        return next(gate for gate in gates if gate["id"] == key)

    def requests(self, person: str, *states: RequestState) -> list[Request]:
        """What a person was asked, oldest first."""
        with self.db.read() as session:
            rows = session.scalars(requests_of(self.rollout_id)).all()
        return [row for row in rows if row.person == person and (not states or row.state in states)]

    def token(self, request: Request) -> str:
        """The token in a person's newest mail about a request."""
        return links.link_token(KEYS[0], request.id, request.link_number)

    def code(self, request: Request) -> str:
        """The code in a person's newest mail about a request."""
        return links.code(KEYS[0], request.id, request.link_number)

    def asked(self, person: str) -> Request:
        """The one thing a person is asked now."""
        [request] = self.requests(person, RequestState.OPEN)
        return request

    def try_code(self, request: Request, code: str, token: str = "") -> RequestPage:
        """Let somebody approve with this code, and perhaps by an older link."""
        form = DecisionForm("approve", code, self.page(request).digest)
        return record_decision(self.db, KEYS, token or self.token(request), form, self.now)

    def db_is_empty(self) -> bool:
        """Whether nothing of any rollout is stored."""
        with self.db.read() as session:
            return not any(session.scalars(select(table).limit(1)).first() for table in (Rollout, PlanVersion, Message))

    def page(self, request: Request) -> RequestPage:
        """What the link of a request shows."""
        return show_request(self.db, self.token(request), self.now)

    def decides(
        self,
        person: str,
        decision: str = "approve",
        *,
        request: Request | None = None,
        conditions: Sequence[TypedCondition] = (),
        **words: str,
    ) -> RequestPage:
        """Let a person decide what they are asked now; a reason, or a condition, is made up where one is needed."""
        request = request or self.asked(person)
        if decision not in ("approve", "approve-with-conditions"):
            words.setdefault("comment", "because")
        if decision == "approve-with-conditions":
            conditions = conditions or [self.condition()]
        form = DecisionForm(decision, self.code(request), self.page(request).digest, conditions=conditions, **words)
        return record_decision(self.db, KEYS, self.token(request), form, self.now)

    def condition(
        self, what: str = "check the texts", who: str = "ben@example.com", days: int = 7, stage: str = ""
    ) -> TypedCondition:
        """A condition as somebody types it, due so many days from now."""
        due_on = (self.now + timedelta(days=days)).date()
        return TypedCondition(what, who, due_on.isoformat(), stage)

    def sees_to(self, person: str, what: str = "it is done") -> RequestPage:
        """Let a person write down what they have done for a condition."""
        return self.fills_in(person, {"done": what})

    def mails_arrive(self, *lost: str) -> None:
        """Deliver every mail that waits, but to these people: theirs are refused for good."""
        waiting = [message for message in self.messages() if message.state is MessageState.PENDING]
        sent = [message.id for message in waiting if message.recipient not in lost]
        settle_messages(self.db, sent, MessageState.SENT, self.now)
        bury(self.db, [message.id for message in waiting if message.id not in sent], "no such mailbox", self.now)

    def says(
        self,
        person: str,
        decision: str = "approve",
        gate: str = "gate",
        *,
        channel: str = "api",
        on_behalf_of: str = "",
        conditions: Sequence[TypedCondition] = (),
        **words: str,
    ) -> RequestPage:
        """Let a person who has proved who they are decide at a gate, after looking at it."""
        shown = show_gate(self.db, self.rollout_id, gate, person, self.now, on_behalf_of)
        form = DecisionForm(decision, "", words.pop("digest", shown.digest), conditions=conditions, **words)
        actor = Actor(person, channel, ASSURANCE[channel])
        return record_decision_as(self.db, KEYS, self.rollout_id, gate, form, actor, self.now, on_behalf_of)

    def fills_in(self, person: str, fields: Mapping[str, str]) -> RequestPage:
        """Let a person fill in the list they are asked for."""
        request = next(row for row in self.requests(person, RequestState.OPEN) if row.purpose is Purpose.ANSWER)
        digest = self.page(request).digest
        return record_answers(self.db, KEYS, self.token(request), fields, self.code(request), digest, self.now)

    def measures(self, metric: str, value: str, sample: str = "", measured_at: datetime | None = None) -> None:
        """Record a value, as whoever started the rollout does with `etappe measure`."""
        actor = Actor(self.rollout()["requester"], "command")
        record_measurement(self.db, KEYS, self.rollout_id, metric, value, actor, self.now, sample=sample,
                           measured_at=measured_at)  # fmt: skip

    def changes(self, reason: str = "prices went up", by: str = REQUESTER, **inputs: Any) -> list[Reason]:
        """Change inputs of the rollout; a budget is given as {item: amount}."""
        changes = {name: [BudgetLine(item=item, amount=Decimal(amount)) for item, amount in value.items()]
                   if isinstance(value, Mapping) else value for name, value in inputs.items()}  # fmt: skip
        actor = Actor(by, "command")
        return change_inputs(self.db, KEYS, self.rollout_id, changes, reason, actor, self.now)

    def answers_changes(
        self, person: str, reply: str = "done", *, request: Request | None = None, digest: str = "", **changed: Any
    ) -> RequestPage:
        """Let whoever is asked for changes answer by their link; `changed` are fields of an Answer."""
        request = request or next(
            row for row in self.requests(person, RequestState.OPEN) if row.purpose is Purpose.RESPOND
        )
        answer = Answer(reply, **changed)
        digest = digest or self.page(request).digest
        return answer_changes_by_link(self.db, KEYS, self.token(request), answer, self.code(request), digest, self.now)

    def attaches(self, content: bytes | str, name: str = "", by: str = REQUESTER) -> str:
        """Attach bytes as a file, or an https address as a link."""
        actor = Actor(by, "command")
        if isinstance(content, str):
            return attach_link(self.db, KEYS, self.rollout_id, content, actor, self.now, name=name)
        file = NewFile(name, BytesIO(content))
        return attach_file(self.db, KEYS, self.rollout_id, file, actor, self.now)

    def detaches(self, name: str, by: str = REQUESTER) -> None:
        """Take an attachment off."""
        detach(self.db, KEYS, self.rollout_id, name, Actor(by, "command"), self.now)

    def attached(self) -> list[str]:
        """What is attached now."""
        return [one["name"] for one in list_attachments(self.db, self.rollout_id)]

    def lapsed(self) -> list[tuple[str, str]]:
        """Whose decisions have lapsed, and why, in the order of lapsing."""
        return [(row.facts["voice"], row.facts["because"]) for row in self.entries("decision.lapsed")]

    def lends(self, delegator: str, to: str, by: str = "", starts: datetime | None = None, days: float = 14) -> int:
        """Lend somebody's voice, by themself unless it is said by whom, from now on unless it is said from when."""
        starts_at = starts or self.now
        actor = Actor(by or delegator, "command")
        ends_at = starts_at + timedelta(days=days)
        return delegate(self.db, KEYS, delegator, to, starts_at, ends_at, actor, self.now)

    def is_away(
        self, person: str, days: float = 14, delegate: str = "", by: str = "", starts: datetime | None = None
    ) -> int:
        """Enter an absence, by the person themself unless it is said by whom, from now on or from when it is said."""
        starts_at = starts or self.now
        term = Term(starts_at, starts_at + timedelta(days=days))
        return be_away(self.db, KEYS, person, term, delegate, Actor(by or person, "command"), self.now)

    def is_back(self, absence_id: int, by: str) -> None:
        """End an absence early."""
        come_back(self.db, KEYS, absence_id, Actor(by, "command"), self.now)

    def ends(self, delegation_id: int, by: str) -> None:
        """End a delegation early."""
        end_delegation(self.db, KEYS, delegation_id, Actor(by, "command"), self.now)

    def asked_for(self, delegator: str, delegate: str) -> Request:
        """What somebody is asked now in the place of another one."""
        [request] = [row for row in self.requests(delegate, RequestState.OPEN) if row.on_behalf_of == delegator]
        return request

    def reassigns(
        self, left_by: str, to: str, by: str = REQUESTER, key: str = "gate", reason: str = "on leave"
    ) -> None:
        """Ask somebody else instead of one who was asked, as `etappe gate reassign` does."""
        reassign(self.db, KEYS, self.rollout_id, key, left_by, to, reason, Actor(by, "command"), self.now)

    def adds(self, person: str, by: str = REQUESTER, key: str = "gate", reason: str = "knows the law") -> None:
        """Ask for one more approval, as `etappe gate add-approver` does."""
        add_approver(self.db, KEYS, self.rollout_id, key, person, reason, Actor(by, "command"), self.now)

    def told(self, person: str) -> list[str]:
        """What somebody was told that is about no one rollout, in English, in the order of telling."""
        with self.db.read() as session:
            rows = session.scalars(select(Message).where(Message.rollout_id.is_(None)).order_by(Message.id)).all()
        return [str(Reason.from_json(row.facts["headline"])) for row in rows if row.recipient == person]

    def waives(self, person: str, key: str = "gate", reason: str = "the fair is on Friday") -> None:
        """Let somebody waive a gate, as `etappe gate waive` does."""
        waive_gate(self.db, KEYS, self.rollout_id, key, reason, Actor(person, "command"), self.now)

    def resumes(self, reason: str = "the team is larger now", by: str = REQUESTER) -> None:
        """Take the rollout off hold, as `etappe rollout resume` does."""
        resume_rollout(self.db, KEYS, self.rollout_id, reason, Actor(by, "command"), self.now)

    def cancels(self, reason: str = "no longer wanted", by: str = REQUESTER) -> None:
        """Call the rollout off, as `etappe rollout cancel` does."""
        cancel_rollout(self.db, KEYS, self.rollout_id, reason, Actor(by, "command"), self.now)

    def migrates(self, source: str, reason: str = "the plan was put right", by: str = "operator") -> Move:
        """Let the rollout follow another version of its plan, as `etappe rollout migrate --yes` does."""
        plan, actor = read_plan(source, "plan.yaml"), Actor(by, "command")
        return migrate_rollout(self.db, KEYS, self.rollout_id, plan, source, reason, actor, self.now)

    def would_migrate(self, source: str) -> Move:
        """What it would mean to follow another version, as `etappe rollout migrate` shows it."""
        return preview_migration(self.db, KEYS, self.rollout_id, read_plan(source, "plan.yaml"), source, self.now)

    def takes_turns(self) -> None:
        """Let those open a stage whose turn at a resource has come, as the relay does after a commit."""
        take_turns(self.db, KEYS, self.now)

    def entries(self, action: str = "") -> list[AuditEntry]:
        """The record of the rollout."""
        with self.db.read() as session:
            rows = session.scalars(entries_of(self.rollout_id)).all()
        return [row for row in rows if action in ("", row.action)]

    def actions(self) -> list[str]:
        """What the record says was done, in order."""
        return [entry.action for entry in self.entries()]

    def checks(self) -> CheckReport:
        """Run the scheduled check."""
        return check_stalled(self.db, KEYS, self.now)

    def checks_on_schedule(self) -> CheckReport:
        """Run the check twice, the second time as the run after the first: what is over now is so beyond doubt.

        Returns what both did together.
        """
        first, second = self.checks(), self.checks()
        counts = {name: count + getattr(first, name) for name, count in vars(second).items() if name != "expiries_wait"}
        return CheckReport(**counts, expiries_wait=second.expiries_wait)

    def headlines(self, recipient: str = "") -> list[str]:
        """What people were told, in English, in the order of telling."""
        return [str(Reason.from_json(row.facts["headline"])) for row in self.messages("information", recipient)]

    def news(self) -> list[str]:
        """All that people were told, headlines and sentences, in English; not what they are to type."""
        told = [row.facts for row in self.messages("information")]
        return [str(Reason.from_json(each)) for facts in told for each in (facts["headline"], *facts["sentences"])]

    def advance(self) -> None:
        """Advance the rollout, as its flow run does."""
        advance(self.db, KEYS, self.rollout_id, self.now)

    def messages(self, topic: str = "", recipient: str = "") -> list[Message]:
        """The messages about the rollout, oldest first."""
        with self.db.read() as session:
            rows = session.scalars(messages_of(self.rollout_id)).all()
        return [row for row in rows if topic in ("", row.topic) and recipient in ("", row.recipient)]
