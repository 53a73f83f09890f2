"""A year of a company, played through: rollouts start, mails arrive, people answer or do not, the check runs.

Nothing is made up but the people and the clock: the verbs, the check, the relay's post and the mails are the real ones.
Time goes from event to event, so a quiet night costs nothing.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from email.message import EmailMessage
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

from sqlalchemy import func, or_, select

from domain.delegation import whole_days
from domain.errors import EtappeError
from domain.states import ENDED, GateState, RolloutState, StageState
from models.absences import Absence
from models.database import Database
from models.delegations import Delegation
from models.gates import GateRow
from models.outbox import Message, MessageState
from models.requests import Purpose, Request, open_requests_of
from models.rollouts import Rollout, StageRow
from operations.be_away import be_away
from operations.check_stalled import CheckReport, check_stalled
from operations.installation import Installation
from operations.workspace import Actor
from plans.reading import read_plan
from settings import Settings
from tests.company import KEYS, Company, without_waiting_for_the_disk
from tests.year import company as made_up
from tests.year.company import Away, Employee
from worker.post import Post

TICK = timedelta(minutes=15)
"""How often the check runs, as its schedule has it."""
SEES_MAIL_WITHIN_HOURS = 2


@dataclass(frozen=True)
class Mailed:
    """One mail, as it arrived."""

    recipient: str
    kind: str
    gate: str
    rollout: str
    urgent: bool
    at: datetime


class Mailboxes:
    """Takes every mail, and says who has got one."""

    def __init__(self, clock: Callable[[], datetime], arrived: Callable[[str], None]) -> None:
        self._clock, self._arrived = clock, arrived
        self.mails: list[Mailed] = []

    def send(self, message: EmailMessage, recipient: str) -> None:
        """Take a mail."""
        kind, gate, rollout = (message.get(f"X-Etappe-{name}", "") for name in ("Kind", "Gate", "Rollout"))
        urgent = message.get("Importance", "") == "high"
        self.mails.append(Mailed(recipient, kind, gate, rollout, urgent, self._clock()))
        self._arrived(recipient)

    def close(self) -> None:
        """Nothing is held."""


@dataclass(order=True)
class _Event:
    at: datetime
    number: int
    happens: Callable[[], None] = field(compare=False)


class Year:
    """So many people and rollouts, from `first` on for so many days, and then until everything has ended."""

    def __init__(
        self, db: Database, home: Path, people: int, rollouts: int, first: datetime, days: int, seed: int
    ) -> None:
        without_waiting_for_the_disk(db)
        self.chance = random.Random(seed)
        self.first, self.last = first, first + timedelta(days=days)
        self.people = {one.email: one for one in made_up.employees(people, first.date(), days + 200, self.chance)}
        self.company = Company(db, now=first, directory=made_up.directory(list(self.people.values())))
        self.checks: list[tuple[datetime, CheckReport]] = []
        self.overdue: list[str] = []
        self.refused = 0  # absences that could not be entered, such as with a voice that is lent already
        self._numbers, self._events = count(), list[_Event]()
        self._busy = set[str]()
        self.mailboxes = Mailboxes(lambda: self.now, self._mail_arrives)
        self._post = Post(_installation(db, home), self.mailboxes, lambda: self.now)
        self._plan_absences()
        for _ in range(rollouts):
            self._at(first + self.chance.random() * timedelta(days=days), self._start)

    @property
    def now(self) -> datetime:
        """The moment, in UTC."""
        return self.company.now

    @property
    def db(self) -> Database:
        """The company's database."""
        return self.company.db

    def play(self) -> None:
        """Let everything happen, until the last rollout has ended; at most half a year longer than they may start."""
        end = self.last + timedelta(days=180)
        while self.now < end and (self.now < self.last or self.open_rollouts()):
            following = min(filter(None, (self._next_event(), self._next_due())), default=None)
            if following is None:
                return
            self.company.now = max(self.now, following)
            if self._events and self._events[0].at <= self.now:
                heapq.heappop(self._events).happens()
            else:
                self._check()
            self._post.deliver_all()

    def open_rollouts(self) -> list[Rollout]:
        """The rollouts that have not ended."""
        with self.db.read() as session:
            return list(session.scalars(select(Rollout).where(Rollout.state.not_in(ENDED))))

    def _at(self, at: datetime, happens: Callable[[], None]) -> None:
        heapq.heappush(self._events, _Event(at, next(self._numbers), happens))

    def _next_event(self) -> datetime | None:
        return self._events[0].at if self._events else None

    def _next_due(self) -> datetime | None:
        """When the check, or the post, next has something to do; the check on its schedule."""
        with self.db.read() as session:
            *due, posted = session.execute(select(*(query.scalar_subquery() for query in (*_DUE, _POSTED)))).one()
        checked = [at for at in due if at is not None]
        on_schedule = [self._scheduled(min(checked))] if checked else []
        return min([*on_schedule, *([posted] if posted else [])], default=None)

    def _scheduled(self, at: datetime) -> datetime:
        """The first run of the check from `at` on that comes after the last one."""
        after = max(at, self.checks[-1][0] + timedelta(microseconds=1)) if self.checks else at
        ticks = -(-(after - self.first) // TICK)
        return self.first + ticks * TICK

    def _check(self) -> None:
        """Run the check, unless it is only the post that has something to do."""
        if not (self.now - self.first) % TICK:
            self.checks.append((self.now, check_stalled(self.db, KEYS, self.now)))
            self.overdue += self._left_undone()

    def _left_undone(self) -> list[str]:
        """The gates that should have been escalated by now, or have expired by the run before, and have not."""
        late = or_(GateRow.escalate_at <= self.now, GateRow.expires_at <= self.now - TICK)
        with self.db.read() as session:
            return [f"{gate.rollout_id} {gate.key}" for gate in session.scalars(select(GateRow).where(_OPEN, late))]

    def _plan_absences(self) -> None:
        """People say that they will be away some days before they go."""
        for employee in self.people.values():
            for away in employee.away:
                said_at = datetime.combine(away.first, time(9), UTC) - timedelta(days=self.chance.randrange(1, 6))
                if said_at > self.first:
                    self._at(said_at, partial(self._says_to_be_away, employee, away))

    def _says_to_be_away(self, employee: Employee, away: Away) -> None:
        actor = Actor(employee.email, "command")
        term = whole_days(away.first, away.last, employee.zone)
        try:
            be_away(self.db, KEYS, employee.email, term, away.delegate, actor, self.now)
        except EtappeError:
            self.refused += 1

    def _start(self) -> None:
        source = self.chance.choice(made_up.PLANS)
        requester, owner, *others = self.chance.sample(list(self.people), 2 + sum(made_up.ROLES.values()))
        roles = {role: [others.pop() for _ in range(many)] for role, many in made_up.ROLES.items()}
        plan = read_plan(source, "plan.yaml")
        more: dict[str, Any] = {"budget": {"all of it": str(self.chance.randrange(1000, 40000))}} if plan.inputs else {}
        self.company.start(source, title=plan.name, requester=requester, owner=owner, people=roles, **more)

    def _mail_arrives(self, recipient: str) -> None:
        """Whoever gets a mail looks through what they are asked, some time later, at work."""
        if recipient not in self._busy:
            self._busy.add(recipient)
            employee = self.people[recipient]
            seen = employee.at_work(self.now + self.chance.random() * timedelta(hours=SEES_MAIL_WITHIN_HOURS))
            pause = timedelta(hours=self.chance.expovariate(1 / employee.pace))
            self._at(employee.at_work(seen + pause), lambda: self._answer(employee))

    def _answer(self, employee: Employee) -> None:
        self._busy.discard(employee.email)
        with self.db.read() as session:
            asked = list(session.scalars(open_requests_of(employee.email)))
        for request in asked:
            if self.chance.random() >= employee.shirks:
                try:
                    self._respond(employee, request)
                except EtappeError:
                    continue  # it was settled while they were writing, or is another one's by now
        self._look_after_what_is_held(employee)

    def _respond(self, employee: Employee, request: Request) -> None:
        company = self.company
        company.rollout_id = request.rollout_id
        match request.purpose:
            case Purpose.ANSWER:
                company.fills_in(employee.email, {"hours": str(self.chance.randrange(4, 12))})
            case Purpose.RESPOND:
                company.answers_changes(employee.email, "It is put right now.", request=request)
            case Purpose.CONFIRM:
                company.decides(employee.email, request=request)
            case _:
                offered = company.page(request).question.choices
                wanted = self.chance.choices(list(_WORDS), list(_WORDS.values()))[0]
                company.decides(employee.email, wanted if wanted in offered else offered[0], request=request)

    def _look_after_what_is_held(self, employee: Employee) -> None:
        with self.db.read() as session:
            mine = select(Rollout).where(Rollout.owner == employee.email, Rollout.state == RolloutState.HELD)
            held = [rollout.id for rollout in session.scalars(mine)]
        for rollout_id in held:
            self.company.rollout_id = rollout_id
            if self.chance.random() < 0.6:
                self.company.resumes(by=employee.email)
            else:
                self.company.cancels(by=employee.email)


_WORDS = {"approve": 86, "go": 0, "reject": 6, "request-changes": 5, "abstain": 3}
"""What people say, of a hundred times; at a review, the first choice instead of approve."""

_OPEN = GateRow.state == GateState.OPEN
_DUE = (
    *(select(func.min(at)).where(_OPEN) for at in (GateRow.remind_at, GateRow.escalate_at, GateRow.expires_at)),
    select(func.min(StageRow.stalled_at)).where(StageRow.state == StageState.OPEN),
    select(func.min(Delegation.starts_at)).where(Delegation.applied_at.is_(None), Delegation.revoked_at.is_(None)),
    select(func.min(Delegation.ends_at)).where(Delegation.ended_at.is_(None)),
    select(func.min(Absence.starts_at)).where(Absence.noticed_at.is_(None), Absence.revoked_at.is_(None)),
)
"""When the check next has something to do."""
_POSTED = select(func.min(Message.due_at)).where(Message.state == MessageState.PENDING)


def _installation(db: Database, home: Path) -> Installation:
    settings = Settings(home, db.url, "https://etappe.example.com", "smtp://127.0.0.1:1", "etappe@example.com",
                        given_secret_keys=(KEYS[0].decode(),))  # fmt: skip
    installation = Installation(settings)
    vars(installation)["db"] = db  # the same one, so that nobody waits for the disk
    return installation
