"""Every refusal Etappe can give. The docstring is the sentence; the facts are attributes.

What a refusal means for HTTP or for an exit code is decided at the edges (web/errors.py, cli/main.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.reasons import Reason


class EtappeError(Exception):
    """Something was refused."""

    def __init__(self, sentence: str | Reason | None = None) -> None:
        self.explanation = sentence if isinstance(sentence, Reason) else None
        super().__init__(str(sentence or (type(self).__doc__ or "").strip()))

    @property
    def sentence(self) -> str:
        """The refusal in one readable sentence (English). `explanation`, where there is one, can be translated."""
        return str(self.args[0])


class TransitionNotAllowed(EtappeError):
    """This event is not allowed in this state."""

    def __init__(self, subject: str, state: str, event: str) -> None:
        self.subject, self.state, self.event = subject, state, event
        super().__init__(f"A {subject} that is {state} cannot take the event “{event}”.")


class NotFound(EtappeError):
    """What was named does not exist."""


class UnknownPlan(NotFound):
    """There is no plan of this name."""


class UnknownPerson(NotFound):
    """There is no person with this address in the directory."""


class UnknownRollout(NotFound):
    """There is no rollout with this id."""


class UnknownToken(NotFound):
    """There is no token with this number."""


class UnknownAttachment(NotFound):
    """This is not attached, or no longer."""


class UnknownDelegation(NotFound):
    """There is no delegation with this number; `etappe people delegations` lists them all."""


class UnknownAbsence(NotFound):
    """There is no absence with this number; `etappe people absences` lists them all."""


class RoleNotHeld(EtappeError):
    """A role that the plan needs is held by nobody."""


@dataclass(frozen=True, order=True)
class Problem:
    """One thing that is wrong in a file, where it is (both counted from 1), and what to write instead."""

    line: int
    column: int
    path: str
    sentence: str

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}: {self.sentence}"


class InvalidFile(EtappeError):
    """A file cannot be used. `problems` holds everything that is wrong with it, in the order of its lines."""

    def __init__(self, source: str, problems: Sequence[Problem]) -> None:
        self.source, self.problems = source, list(problems)
        first, more = self.problems[0], len(self.problems) - 1
        tail = f" (and {more} more problem{'' if more == 1 else 's'})" if more else ""
        super().__init__(f"{source}, {first}{tail}")


class InvalidPlan(InvalidFile):
    """The plan cannot be used."""


class InvalidDirectory(InvalidFile):
    """The directory file cannot be used."""


class InvalidInput(EtappeError):
    """Something that was typed cannot be used. `fields` maps each field to its sentence."""

    def __init__(self, sentence: str | Reason, fields: Mapping[str, Reason] | None = None) -> None:
        self.fields = dict(fields or {})
        super().__init__(sentence)


class QuorumImpossible(EtappeError):
    """The quorum can never be met by the people who may decide."""


class RolloutEnded(EtappeError):
    """The rollout has ended; nothing in it can be changed any more."""


class LinkUnknown(NotFound):
    """This link is not one of ours: perhaps it was cut in two by the mail program."""


class FeedUnknown(NotFound):
    """There is no calendar at this address, or no longer."""


class LinkVoid(EtappeError):
    """This link no longer counts. `reason` is one of `VoidReason`; `at` is when it ceased to (UTC)."""

    def __init__(self, reason: str, at: datetime) -> None:
        self.reason, self.at = reason, at
        super().__init__(f"This link no longer counts ({reason}).")


class WrongCode(EtappeError):
    """The code does not match. `tries_left` is 0 when a new mail with a new link and code is on its way."""

    def __init__(self, tries_left: int) -> None:
        self.tries_left = tries_left
        super().__init__(
            f"The code does not match; {tries_left} more tries."
            if tries_left
            else "The code was wrong five times; a new mail with a new link and a new code is on its way."
        )


class EvidenceChanged(EtappeError):
    """What was asked about has changed since the page was shown. `shown` is the digest of what holds now."""

    def __init__(self, shown: str) -> None:
        self.shown = shown
        super().__init__("What you were asked about has changed since the page was shown; nothing was recorded.")


class GateSettled(EtappeError):
    """The gate is already settled; this decision came too late and was not recorded."""


class GateNotOpen(EtappeError):
    """The gate is not open, so nothing can be said at it; nothing was recorded."""


class SignatureRefused(EtappeError):
    """The call is not signed with a key that is known here, or was not sent just now; nothing was recorded."""


class CallTaken(EtappeError):
    """A call with this id was taken before, and said something else; nothing was recorded."""


class TokenRefused(EtappeError):
    """This token opens nothing."""


class NotEligible(EtappeError):
    """This person may not decide this gate."""


class NotAllowed(EtappeError):
    """This person may not do that here."""


class PortTaken(EtappeError):
    """A port on this machine is in use, or wanted twice."""

    def __init__(self, port: int, wanted_by: str, option: str, taken_by: str = "another program") -> None:
        self.port, self.wanted_by, self.option, self.taken_by = port, wanted_by, option, taken_by
        super().__init__(
            f"Port {port}, which the {wanted_by} wants, is already taken by {taken_by}; give another one with {option}."
        )


class SecretKeyTooShort(EtappeError):
    """A key in ETAPPE_SECRET_KEYS is shorter than 16 bytes; give a longer one, such as 32 random characters."""
