"""What people are shown of changes, as facts: what is attached, asked for, and answered. Read only."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from domain.plan import Input
from models.evidence import attachments_of
from models.gates import GateRow
from models.requests import Purpose, Request
from notifications.facts import Answered, Attached, InputToChange, Shift, Wish
from notifications.language import HOME_ZONE, Words
from operations.about import ATTACHMENTS, input_as_typed
from operations.voices import wishes
from operations.workspace import Workspace


def changes_as_facts(
    ws: Workspace, gate: GateRow, request: Request, language: str, names: Callable[[str], str]
) -> dict[str, Any]:
    """Return the fields of a Question that have to do with changes; `names` gives the name behind an address."""
    responds = request.purpose is Purpose.RESPOND
    return {
        "attached": _attached(ws),
        "paused_at": gate.paused_at,
        "wishes": tuple(
            _wish(word.person, word.comment, word.decided_at, word.on_behalf_of, language, names)
            for word in wishes(ws, gate)
        ),
        "changed": _answered(ws, gate, language, names),
        "to_change": _to_change(ws, language) if responds else (),
    }


def _attached(ws: Workspace) -> tuple[Attached, ...]:
    rows = ws.read(attachments_of, ws.rollout.id)
    return tuple(Attached(one.id, one.name, one.size, one.url or "", one.digest or "") for one in rows)


def _answered(ws: Workspace, gate: GateRow, language: str, names: Callable[[str], str]) -> Answered | None:
    stored = gate.changed
    if stored is None:
        return None
    return Answered(
        names(stored["by"]),
        stored["by"],
        datetime.fromisoformat(stored["at"]),
        stored["reply"],
        tuple(
            _wish(person, comment, datetime.fromisoformat(at), on_behalf_of, language, names)
            for person, comment, at, on_behalf_of in stored["asked"]
        ),
        tuple(Shift(_title(ws, name, language), before, after) for name, before, after in stored["changes"]),
    )


def _wish(
    person: str, comment: str, at: datetime, on_behalf_of: str | None, language: str, names: Callable[[str], str]
) -> Wish:
    who = Words(language, HOME_ZONE).who(names(person), names(on_behalf_of) if on_behalf_of else "")
    return Wish(who, comment, at)


def _title(ws: Workspace, name: str, language: str) -> str:
    """A name of no input is shown as it is; the attachments have none, and are named in their text."""
    if name == ATTACHMENTS and name not in ws.plan.inputs:
        return ""
    return _title_of(name, ws.plan.inputs.get(name), language)


def _to_change(ws: Workspace, language: str) -> tuple[InputToChange, ...]:
    return tuple(
        InputToChange(name, _title_of(name, asked, language), asked.kind.value, asked.currency or "", asked.required,
                      input_as_typed(ws, name))
        for name, asked in ws.plan.inputs.items()
    )  # fmt: skip


def _title_of(name: str, asked: Input | None, language: str) -> str:
    return asked.title.in_language(language) if asked and asked.title else name
