"""Every mail Etappe writes, as a type: the class names the template folder, its fields are all the template may use."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

from domain.reasons import Reason
from notifications.facts import Deadline, Question, Reader, Said, Settlement


@dataclass(frozen=True)
class Mail:
    """What all mails have. `kind` is the header X-Etappe-Kind, `template` the folder below templates/."""

    kind: ClassVar[str]
    template: ClassVar[str]

    reader: Reader
    rollout_id: str
    rollout_title: str


@dataclass(frozen=True)
class Asking(Mail):
    """A mail with a link and a code."""

    question: Question
    link: str
    code: str
    deadline: Deadline | None = field(default=None, kw_only=True)
    """For the reader's calendar; None where nothing is due by a fixed moment."""

    @property
    def gate(self) -> str:
        """The gate's id in the plan (header X-Etappe-Gate)."""
        return self.question.gate_key


@dataclass(frozen=True)
class RequestMail(Asking):
    """Somebody is asked."""

    kind = "request"
    template = "request"


@dataclass(frozen=True)
class ReminderMail(Asking):
    """Somebody is asked again."""

    kind = "reminder"
    template = "reminder"
    asked_at: datetime


@dataclass(frozen=True)
class EscalationMail(Asking):
    """Somebody is asked because others have not decided."""

    kind = "escalation"
    template = "escalation"
    asked_at: datetime
    silent: tuple[str, ...]  # names of those who were asked before
    replaces: bool  # asked instead of them, not as well


@dataclass(frozen=True)
class LapsedMail(Asking):
    """Somebody is asked again, because what they answered has changed since."""

    kind = "lapsed"
    template = "lapsed"
    because: Reason
    mine: Said  # what they had said


@dataclass(frozen=True)
class CodeMail(Asking):
    """A new link and code after five wrong codes; the old link is void."""

    kind = "code"
    template = "code"


@dataclass(frozen=True)
class DigestMail(Mail):
    """Several reminders that are due for one person, in one mail."""

    kind = "digest"
    template = "digest"
    asked: tuple[ReminderMail, ...]


@dataclass(frozen=True)
class ReceiptMail(Mail):
    """What somebody decided, for their own records."""

    kind = "receipt"
    template = "receipt"
    question: Question
    mine: Said
    link: str  # the same link shows what was recorded
    feed: str = ""  # the address of the reader's calendar feed; "" for somebody who is not in the directory

    @property
    def gate(self) -> str:
        """The gate's id in the plan (header X-Etappe-Gate)."""
        return self.question.gate_key


@dataclass(frozen=True)
class OutcomeMail(Mail):
    """Requester and owner hear what a gate came to."""

    kind = "outcome"
    template = "outcome"
    gate: str
    gate_title: str
    stage_title: str
    settlement: Settlement
    said: tuple[Said, ...]
    follows: Reason  # what happens now


@dataclass(frozen=True)
class InformationMail(Mail):
    """Something that concerns somebody and asks nothing of them: a headline, what happened, what one could do."""

    kind = "information"
    template = "information"
    headline: Reason
    sentences: tuple[Reason, ...] = ()
    what_to_do: tuple[Reason, ...] = ()
    quote: str = ""  # somebody's own words
    quoted: str = ""  # whose
    gate: str = field(default="")
