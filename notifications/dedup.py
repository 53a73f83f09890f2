"""The one home of dedup keys: what is told once, and what makes a second telling another message.

Keys are made from ids that never change, never from wording or from the clock: the same event seen twice (a retry, a
crash between commit and sending, two checks at once) gives the same key, and the outbox takes each key only once. The
Message-ID is made from the key too, so that a mail sent twice after all is one mail to a mail program.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import UTC, datetime


def request(request_id: str, link_number: int) -> str:
    """Asking one person at one gate in one round. With the link's number, because a new link is a new mail."""
    return f"request/{request_id}/{link_number}"


def escalation(request_id: str, link_number: int) -> str:
    """Asking somebody because others were silent. With the link's number, because they can be asked anew later."""
    return f"escalation/{request_id}/{link_number}"


def code(request_id: str, link_number: int) -> str:
    """A new link and code after five wrong codes. With the link's number, because it can happen again."""
    return f"code/{request_id}/{link_number}"


def lapsed(request_id: str, link_number: int) -> str:
    """Asking again because what was approved has changed. With the link's number, because it can happen again."""
    return f"lapsed/{request_id}/{link_number}"


def asked_again(request_id: str, sequence: int) -> str:
    """Asking again by the same link, because of one audit entry: changes are asked for, or were answered."""
    return f"asked-again/{request_id}/{sequence}"


def reminder(request_id: str, due_at: datetime) -> str:
    """One reminder per request and due date: a check that runs late, or twice, reminds once."""
    return f"reminder/{request_id}/{_moment(due_at)}"


def digest(keys: Iterable[str]) -> str:
    """Several messages in one mail, by their own keys: with the same in it again, it is the same mail."""
    return f"digest/{hashlib.sha256(json.dumps(sorted(keys)).encode()).hexdigest()}"


def receipt(decision_id: int) -> str:
    """A decision is append-only, so its id stands for exactly what was recorded."""
    return f"receipt/{decision_id}"


def copy(decision_id: int) -> str:
    """What was decided in somebody's name, for them; the receipt of whoever decided is another message."""
    return f"receipt-copy/{decision_id}"


def outcome(gate_id: int, person: str) -> str:
    """A gate settles once per round, and every round is a gate row of its own."""
    return f"outcome/{gate_id}/{_address(person)}"


def information(rollout_id: str, sequence: int, person: str, number: int = 1) -> str:
    """Told because of one audit entry: `sequence` is the entry's number in the rollout's record.

    `number` counts what one person hears because of one entry.
    """
    further = f"/{number}" if number > 1 else ""
    return f"information/{rollout_id}/{sequence}/{_address(person)}{further}"


def chat(rollout_id: str, sequence: int, channel: str, number: int = 1) -> str:
    """Told to a channel because of one audit entry, as with `information`."""
    return f"chat/{rollout_id}/{sequence}/{channel}/{number}"


def beside_mail(dedup_key: str) -> str:
    """Somebody's own chat says once that a mail is there, so the mail's key serves."""
    return f"chat/{dedup_key}"


def delegation(delegation_id: int, event: str, person: str) -> str:
    """A voice was lent, or that was ended early: each happens once to a delegation, and both people hear of it."""
    return f"delegation/{delegation_id}/{event}/{_address(person)}"


def absence(absence_id: int) -> str:
    """Somebody else has said that a person is away; the person hears of it once."""
    return f"absence/{absence_id}"


def stalled(stage_id: int, due_at: datetime, person: str) -> str:
    """A stage takes too long. By its due date, so that a stage asked again in a new round can stall again."""
    return f"stalled/{stage_id}/{_moment(due_at)}/{_address(person)}"


def undelivered(message_id: int, person: str) -> str:
    """Somebody's mail was refused for good. By the message, because each one that is lost is worth telling."""
    return f"undelivered/{message_id}/{_address(person)}"


def late_check(last_id: int, person: str) -> str:
    """The scheduled check is late. By the last run that has finished, so that each time it stays away is told once."""
    return f"late-check/{last_id}/{_address(person)}"


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def _address(person: str) -> str:
    """An address may be longer than a key; 128 bits of its hash stand for it."""
    return hashlib.sha256(person.strip().lower().encode()).hexdigest()[:32]
