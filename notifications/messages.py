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

    @property
    def urgent(self) -> bool:
        """Whether the plan calls what it is about urgent; then the subject says so, and the headers."""
        return False


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

    @property
    def urgent(self) -> bool:
        """Whether its gate is urgent."""
        return self.question.urgent


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
    """Somebody is asked because others have not decided, or are away."""

    kind = "escalation"
    template = "escalation"
    asked_at: datetime
    silent: tuple[str, ...]  # names of those who were asked before
    replaces: bool  # asked instead of them, not as well
    away: tuple[str, ...] = ()  # names of those because of whose absence this comes before its time


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
    page: str  # the address of the rollout's page
    urgent: bool = False


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
    page: str = ""  # the address of the rollout's page; "" for what is about no one rollout
    urgent: bool = False


News = OutcomeMail | InformationMail
"""What tells something and asks nothing."""


@dataclass(frozen=True)
class Group:
    """What a digest says about one rollout: what waits for its reader, the most urgent first, and what is new."""

    rollout_title: str
    asked: tuple[ReminderMail, ...]
    news: tuple[News, ...]


@dataclass(frozen=True)
class RolloutPage:
    """The address of the page that shows everything about a rollout, and changes nothing."""

    rollout_title: str
    link: str


@dataclass(frozen=True)
class DigestMail(Mail):
    """Several reminders and news for one person in one mail, written `at` a moment (UTC).

    `questions` and `told` count all of them; `more` is how many are not shown, and `pages` where to find those.
    """

    kind = "digest"
    template = "digest"
    at: datetime
    groups: tuple[Group, ...]
    questions: int
    told: int
    more: int = 0
    pages: tuple[RolloutPage, ...] = ()

    @property
    def asked(self) -> tuple[ReminderMail, ...]:
        """The questions that are shown."""
        return tuple(one for group in self.groups for one in group.asked)

    @property
    def urgent(self) -> bool:
        """Whether anything that is shown is urgent."""
        return any(one.urgent for group in self.groups for one in (*group.asked, *group.news))
