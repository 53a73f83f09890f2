"""What people are shown, the same in a mail and on the decision page: already in their language, times in UTC.

Sentences that depend on rules arrive as a Reason and are put into the reader's language by notifications/language.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from domain.plan import Item
from domain.reasons import Reason
from domain.states import DecisionKind, GateState, Outcome


@dataclass(frozen=True)
class Reader:
    """Who reads, and how: an IANA zone and "de" or "en"."""

    email: str
    name: str
    language: str
    time_zone: str


@dataclass(frozen=True)
class Deadline:
    """By when one person is to answer one request, as their calendar hears of it.

    `revision` grows whenever `due_at` (UTC) has moved. `purpose` is one of models.requests.Purpose.
    """

    request_id: str
    revision: int
    due_at: datetime
    purpose: str
    gate_title: str
    rollout_title: str


@dataclass(frozen=True)
class Said:
    """One person's word at a gate. `on_behalf_of` is the name of whose voice it was, "" where it was their own.

    `voice` is the address of whose voice it was.
    """

    name: str
    email: str
    decision: DecisionKind
    choice: Outcome | None  # reviews: hold, recycle or kill
    comment: str
    conditions: str
    lessons: str
    at: datetime
    on_behalf_of: str = ""
    voice: str = ""


@dataclass(frozen=True)
class Line:
    """One budget line."""

    item: str
    amount: Decimal


@dataclass(frozen=True)
class Filled:
    """One line of a checklist as it was filled in."""

    title: str
    value: str


@dataclass(frozen=True)
class ItemToFill:
    """One line of a checklist to be filled in, with what was filled in before."""

    item: Item
    title: str
    unit: str
    value: str


@dataclass(frozen=True)
class Attached:
    """A file, or a link when there is a `url`, that belongs to what a rollout is about. `size` is in bytes."""

    id: int
    name: str
    size: int
    url: str
    digest: str


@dataclass(frozen=True)
class Wish:
    """Somebody's request for changes."""

    name: str
    comment: str
    at: datetime


@dataclass(frozen=True)
class Shift:
    """One thing that is different now; "" where it was not there. Attachments have no label."""

    label: str
    before: str
    after: str


@dataclass(frozen=True)
class Answered:
    """What the owner answered when changes were asked for, and what is different since."""

    name: str
    email: str
    at: datetime
    reply: str
    asked: tuple[Wish, ...]
    changes: tuple[Shift, ...]


@dataclass(frozen=True)
class InputToChange:
    """An input of the plan, as its owner may change it: `kind` is an InputKind, `value` as somebody would type it."""

    name: str
    title: str
    kind: str
    currency: str
    required: bool
    value: str


@dataclass(frozen=True)
class LaterStage:
    """A stage that may hold to a condition."""

    id: str
    title: str


@dataclass(frozen=True)
class Question:
    """All a person needs in order to decide within thirty seconds."""

    rollout_id: str
    rollout_title: str
    plan_title: str
    stage_title: str
    gate_key: str
    gate_title: str
    kind: str  # sign-off, budget, review, checklist, measurement, acknowledgement
    purpose: str  # decide, answer, confirm, measure, respond
    round: int
    question: str
    details: str
    requester_name: str
    owner_name: str
    owner_email: str
    why: Reason  # why this person
    on_yes: Reason
    on_no: Reason | None  # None where there is no "no" to say
    on_silence: Reason
    due_at: datetime | None
    counted: int  # voices that count so far
    needed: int
    urgent: bool = False
    renewal: Reason | None = None  # what is asked again, and since when that holds
    said: tuple[Said, ...] = ()
    waiting_for: tuple[str, ...] = ()  # names of everybody who has not decided yet, “Ben Frei for Anna Keller” as well
    chased: tuple[Reason, ...] = ()  # who was asked as well or instead, since when and why, and who was reminded
    in_place_of: str = ""  # the name of whoever has lent the reader their voice
    lent_until: datetime | None = None  # the last moment of that
    choices: tuple[str, ...] = ()  # what may be chosen: DecisionKind values, for reviews hold, recycle, kill as well
    condition_stages: tuple[LaterStage, ...] = ()  # which may hold to conditions, the default first
    silence_is_consent: bool = False
    lessons_required: bool = False
    invite_comment: str = ""  # acknowledgement: a question that may be answered on the same page
    inputs: tuple[Filled, ...] = ()  # what the rollout was started with, budgets aside
    budget: tuple[Line, ...] = ()
    budget_total: Decimal | None = None
    currency: str = ""
    filled: tuple[Filled, ...] = ()
    to_fill: tuple[ItemToFill, ...] = ()
    target: str = ""  # measurement, such as "at least 1200 visits"
    metric: str = ""
    attached: tuple[Attached, ...] = ()
    paused_at: datetime | None = None  # the clock stands still since then, because changes were asked for
    wishes: tuple[Wish, ...] = ()  # the changes that are asked for
    changed: Answered | None = None  # the last answer of the owner at this gate
    to_change: tuple[InputToChange, ...] = ()  # for whoever answers


@dataclass(frozen=True)
class Settlement:
    """What a gate came to."""

    state: GateState
    outcome: Outcome
    because: Reason
    at: datetime
    stage_waits: bool = False  # a condition's: its stage has not opened yet
