"""Answer a request for changes: the clock goes on, and those who are asked hear the answer and what has changed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from domain import typed_text
from domain.errors import InvalidInput, NotFound
from domain.nearest import suggestion
from domain.reasons import Reason
from models.database import Database
from models.gates import GateRow
from models.requests import Purpose, RequestState, VoidReason
from operations.about import changes_since
from operations.asked import Asked, refuse_what_is_over
from operations.asking import open_requests, void
from operations.attach import NewFile, add_file, add_link
from operations.by_link import answer_by_link
from operations.change_inputs import apply_changes
from operations.changes import go_on
from operations.detach import remove
from operations.lapsing import lapse_what_changed
from operations.progress import progress
from operations.show_request import RequestPage
from operations.telling import tell_again
from operations.typed_inputs import read_changes
from operations.voices import wishes
from operations.workspace import Actor, Workspace, locked

LONGEST_TEXT = 5000  # characters


@dataclass(frozen=True)
class Answer:
    """What the owner answers, and changes with it.

    `inputs` are as typed, by name (a budget line by line, “item: amount”); those that are as before may be among them.
    `removed` are names of attachments, `links` https addresses.
    """

    reply: str
    inputs: Mapping[str, Any] = field(default_factory=dict)
    removed: Collection[str] = ()
    files: Sequence[NewFile] = ()
    links: Sequence[str] = ()


def answer_changes_by_link(
    db: Database, keys: Sequence[bytes], token: str, answer: Answer, code: str, digest: str, now: datetime
) -> RequestPage:
    """Answer through the link of a request to respond; return the page as it is then.

    The same reply again returns what was recorded. Raises what by_link, refuse_what_is_over and answer_changes raise.
    """

    def change(asked: Asked) -> None:
        if asked.request.purpose is not Purpose.RESPOND:
            raise InvalidInput(Reason("This page asks for something else than an answer to a request for changes."))
        if not _is_repeated(asked, answer):
            refuse_what_is_over(asked, digest)
            _answer(asked.ws, asked.gate, answer)

    return answer_by_link(db, keys, token, code, now, change)


def answer_changes(
    db: Database, keys: Sequence[bytes], rollout_id: str, gate_key: str, answer: Answer, actor: Actor, now: datetime
) -> None:
    """Answer a request for changes at a gate.

    Raises UnknownRollout, NotFound for the gate, NotAllowed for whoever does not look after it, and InvalidInput: when
    nobody asks for changes, without a reply, and for whatever cannot be used, each under its field (`reply`, an input's
    name, `file`, `link`). Nothing is changed in these cases. Raises what apply_changes raises besides.
    """
    with locked(db, keys, rollout_id, now, actor) as ws:
        gates = {gate.key: gate for gate in ws.gates()}
        gate = gates.get(gate_key)
        if gate is None:
            raise NotFound(f"The rollout has no gate “{gate_key}”{suggestion(gate_key, gates)}")
        ws.refuse_strangers(ws.stage_of(gate))
        if gate.paused_at is None:
            raise InvalidInput(Reason("Nobody asks for changes at this gate."))
        _answer(ws, gate, answer)


def _is_repeated(asked: Asked, answer: Answer) -> bool:
    stored = asked.gate.changed
    if stored is None or asked.request.state is not RequestState.DONE or stored["by"] != asked.request.person:
        return False
    return bool(stored["reply"] == _clean_reply(answer.reply, {}))


def _answer(ws: Workspace, gate: GateRow, answer: Answer) -> None:
    waiting = open_requests(ws, gate, [Purpose.DECIDE])
    reply = _change(ws, answer)
    asked = [[word.person, word.comment, word.decided_at.isoformat(), word.on_behalf_of] for word in wishes(ws, gate)]
    changes = changes_since(ws, gate.paused_with) if gate.paused_with else []
    at = ws.now.isoformat()
    gate.changed = {"by": ws.actor.address, "at": at, "reply": reply, "asked": asked, "changes": changes}
    _close_requests(ws, gate)
    go_on(ws, gate)
    ws.note("changes.answered", gate=gate, comment=reply, facts={"asked": asked, "changes": changes})
    for request in waiting:
        if request.state is RequestState.OPEN:  # whoever has lapsed was asked again by then, and is told why
            tell_again(ws, request)
    progress(ws)


def _change(ws: Workspace, answer: Answer) -> str:
    """Change what is to be changed, and return the reply; what is refused is rolled back with everything else."""
    fields: dict[str, Reason] = {}
    reply = _clean_reply(answer.reply, fields)
    changes = read_changes(ws, answer.inputs, fields)
    _change_attachments(ws, answer, fields)
    if fields:
        raise InvalidInput(Reason("Something is missing or cannot be used; nothing was recorded yet."), fields)
    if changes:
        apply_changes(ws, changes, reply)
    lapse_what_changed(ws)
    return reply


def _clean_reply(text: str, fields: dict[str, Reason]) -> str:
    reply = ""
    try:
        reply = typed_text.clean_text(text, LONGEST_TEXT)
    except InvalidInput as refusal:
        fields["reply"] = refusal.explanation or Reason(refusal.sentence)
    if not reply:
        fields.setdefault("reply", Reason("Write what you answer to those who asked for changes."))
    return reply


def _change_attachments(ws: Workspace, answer: Answer, fields: dict[str, Reason]) -> None:
    for name in answer.removed:
        remove(ws, name)
    for file in answer.files:
        _unless_refused("file", partial(add_file, ws, file), fields)
    for address in answer.links:
        _unless_refused("link", partial(add_link, ws, address), fields)


def _unless_refused(name: str, change: Callable[[], object], fields: dict[str, Reason]) -> None:
    try:
        change()
    except InvalidInput as refusal:
        fields[name] = refusal.explanation or Reason(refusal.sentence)


def _close_requests(ws: Workspace, gate: GateRow) -> None:
    """Whoever answers first answers for all who were asked."""
    for request in open_requests(ws, gate, [Purpose.RESPOND]):
        if request.person == ws.actor.address:
            request.state, request.closed_at = RequestState.DONE, ws.now
        else:
            void(ws, [request], VoidReason.SETTLED)
