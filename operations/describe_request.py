"""Describe what somebody is asked as facts, in their language, for the command line and the API. Read only."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from domain.reasons import Reason
from domain.typed_text import plain_number
from notifications.facts import Answered, Attached, Filled, ItemToFill, Line, Said, Settlement, Wish
from notifications.language import Words
from operations.show_request import RequestPage


def describe_request(page: RequestPage) -> dict[str, Any]:
    """Return what a person is asked at a gate, what was said there, and the digest that a decision must give back.

    Sentences are in the reader's language, moments are ISO 8601 in UTC, amounts are strings.
    """
    words = Words(page.reader.language, page.reader.time_zone)
    asked = page.question
    return {
        "rollout": asked.rollout_id,
        "rollout_title": asked.rollout_title,
        "stage_title": asked.stage_title,
        "gate": asked.gate_key,
        "gate_title": asked.gate_title,
        "kind": asked.kind,
        "round": asked.round,
        "purpose": page.purpose.value,
        "on_behalf_of": page.on_behalf_of or None,
        "lent_until": _moment(asked.lent_until or page.lent_until),
        "lent_to": page.lent_to or None,
        "may_be_lent": page.may_be_lent,
        "state": page.state.value,
        "void_reason": page.void_reason.value if page.void_reason else None,
        "question": asked.question,
        "details": asked.details,
        "why": words.say(asked.why),
        "on_yes": words.say(asked.on_yes),
        "on_no": _said_or_none(words, asked.on_no),
        "on_silence": words.say(asked.on_silence),
        "due_at": _moment(asked.due_at),
        "urgent": asked.urgent,
        "renewal": _said_or_none(words, asked.renewal),
        "counted": asked.counted,
        "needed": asked.needed,
        "waiting_for": list(asked.waiting_for),
        "chased": [words.say(reason) for reason in asked.chased],
        "choices": list(asked.choices),
        "condition_stages": [{"id": stage.id, "title": stage.title} for stage in asked.condition_stages],
        "silence_is_consent": asked.silence_is_consent,
        "lessons_required": asked.lessons_required,
        "inputs": [_filled(each) for each in asked.inputs],
        "budget": [_line(each) for each in asked.budget],
        "budget_total": _amount(asked.budget_total),
        "currency": asked.currency,
        "filled": [_filled(each) for each in asked.filled],
        "items": [_item(each) for each in asked.to_fill],
        "metric": asked.metric,
        "target": asked.target,
        "attachments": [_attachment(each) for each in asked.attached],
        "said": [_word(each) for each in asked.said],
        "paused_at": _moment(asked.paused_at),
        "wishes": [_wish(each) for each in asked.wishes],
        "changed": _changed(asked.changed) if asked.changed else None,
        "to_change": [vars(each) for each in asked.to_change],
        "mine": _word(page.mine) if page.mine else None,
        "spoken": _word(page.spoken) if page.spoken else None,
        "settlement": _settlement(words, page.settlement) if page.settlement else None,
        "digest": page.digest,
    }


def _said_or_none(words: Words, reason: Reason | None) -> str | None:
    return words.say(reason) if reason else None


def _moment(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _amount(amount: Decimal | None) -> str | None:
    return None if amount is None else plain_number(amount)


def _filled(filled: Filled) -> dict[str, Any]:
    return {"title": filled.title, "value": filled.value}


def _line(line: Line) -> dict[str, Any]:
    return {"item": line.item, "amount": plain_number(line.amount)}


def _item(entry: ItemToFill) -> dict[str, Any]:
    item = entry.item
    return {"id": item.id, "title": entry.title, "kind": item.kind, "unit": entry.unit, "required": item.required,
            "minimum": _amount(item.minimum), "each": item.each, "people_from": item.people_from,
            "value": entry.value}  # fmt: skip


def _word(word: Said) -> dict[str, Any]:
    on_behalf_of = word.voice if word.on_behalf_of else None
    return {"by": word.email, "name": word.name, "on_behalf_of": on_behalf_of, "decision": word.decision.value,
            "choice": word.choice.value if word.choice else None, "comment": word.comment,
            "conditions": word.conditions, "lessons": word.lessons, "decided_at": word.at.isoformat()}  # fmt: skip


def _attachment(one: Attached) -> dict[str, Any]:
    return {"id": one.id, "name": one.name, "size": one.size, "digest": one.digest or None, "url": one.url or None}


def _wish(wish: Wish) -> dict[str, Any]:
    return {"name": wish.name, "comment": wish.comment, "at": wish.at.isoformat()}


def _changed(answered: Answered) -> dict[str, Any]:
    """An empty label stands for an attachment."""
    return {"by": answered.email, "name": answered.name, "at": answered.at.isoformat(), "reply": answered.reply,
            "asked": [_wish(each) for each in answered.asked],
            "changes": [vars(shift) for shift in answered.changes]}  # fmt: skip


def _settlement(words: Words, settled: Settlement) -> dict[str, Any]:
    return {"state": settled.state.value, "outcome": settled.outcome.value, "because": words.say(settled.because),
            "at": settled.at.isoformat()}  # fmt: skip
