"""Turn an outbox message for a chat into its address and its words, as things are when it is sent. Read only."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from domain import links
from domain.reasons import Reason
from domain.states import GateState, StageState
from models.gates import GateRow
from models.outbox import Message
from models.people import Person
from models.requests import Request, RequestState
from models.rollouts import StageRow
from notifications.chat import ChatMessage
from notifications.language import Words
from notifications.senders import PermanentFailure
from operations.naming import reader_of
from operations.question import names_asked_now, said_at, settlement
from operations.workspace import Workspace

NAMED = 5
"""How many people, or gates, are named; of more it is said how many."""


@dataclass(frozen=True)
class ChatComposer:
    """What it takes beside the database: the keys that links come from, where the pages are, the channels by name."""

    keys: Sequence[bytes]
    base_url: str
    channels: Mapping[str, str]

    def compose(self, ws: Workspace, message: Message) -> ChatMessage | None:
        """Return the words of one message; None when it is no longer true, as of a stage that has passed by now."""
        lines = _ABOUT[message.facts["about"]](ws, message, _words(ws, message.recipient))
        page = f"{self.base_url}/rollouts/{ws.rollout.id}/{links.page_token(self.keys[0], ws.rollout.id)}"
        return ChatMessage(ws.rollout.title, tuple(lines), page) if lines else None

    def address(self, ws: Workspace, recipient: str) -> str:
        """Return where to send what is for a channel, or for a person's own chat; "" when they no longer have one.

        Raises PermanentFailure for a name that ETAPPE_CHAT_URLS does not have.
        """
        name = recipient
        if "@" in recipient:
            person = ws.session.get(Person, recipient)
            name = person.chat or "" if person and person.gone_at is None else ""
        if not name or "://" in name:
            return name
        if name not in self.channels:
            raise PermanentFailure(f"ETAPPE_CHAT_URLS has no chat channel “{name}”.")
        return self.channels[name]


def _words(ws: Workspace, recipient: str) -> Words:
    if "@" in recipient:
        reader = reader_of(ws, recipient)
        return Words(reader.language, reader.time_zone)
    return Words(ws.rollout.language, ws.plan.calendar.time_zone)


def _news(ws: Workspace, message: Message, words: Words) -> list[str]:
    stored = [message.facts["headline"], *message.facts["sentences"]]
    return [words.say(Reason.from_json(sentence)) for sentence in stored]


def _stage(ws: Workspace, message: Message, words: Words) -> list[str]:
    stage = ws.session.get_one(StageRow, message.facts["stage_id"])
    if not stage.current or stage.state is not StageState.OPEN:
        return []
    title = ws.planned_stage(stage).title.in_language(words.language)
    asked = [_asked(ws, gate, words) for gate in ws.gates(GateState.OPEN) if gate.stage_id == stage.id]
    return [words.text("Open: “{stage}”", stage=title), *_some(asked, words)]


def _asked(ws: Workspace, gate: GateRow, words: Words) -> str:
    names = list(dict.fromkeys(names_asked_now(ws, gate, words).values()))
    facts = {"gate": _title(ws, gate, words), "people": ", ".join(_some(names, words))}
    if names and gate.due_at and gate.paused_at is None:
        return words.text("“{gate}” is asked of {people}, by {moment}", moment=gate.due_at, **facts)
    if names:
        return words.text("“{gate}” is asked of {people}", **facts)
    return words.text("“{gate}” is waited for", gate=facts["gate"])


def _gate(ws: Workspace, message: Message, words: Words) -> list[str]:
    gate = ws.session.get_one(GateRow, message.facts["gate_id"])
    came_to = settlement(ws, gate)
    if came_to is None:
        return []
    headline = words.text("“{gate}”: {state}", gate=_title(ws, gate, words), state=came_to.state)
    kind = ws.planned_gate(gate).kind
    said = [f"{words.who(one.name, one.on_behalf_of)}: {words.said(one.decision, kind, one.choice)}"
            for one in said_at(ws, gate)]  # fmt: skip
    return [headline, words.say(came_to.because), *_some(said, words)]


def _mail(ws: Workspace, message: Message, words: Words) -> list[str]:
    request = ws.session.get_one(Request, message.facts["request_id"])
    if request.state is not RequestState.OPEN:
        return []
    gate = ws.session.get_one(GateRow, request.gate_id)
    facts = {"gate": _title(ws, gate, words)}
    if message.facts["mail"] == "reminder":
        line = words.text("You have not answered “{gate}” yet; see your mail.", **facts)
    elif message.facts["mail"] == "escalation":
        line = words.text("You are asked at “{gate}”, because others have not answered; see your mail.", **facts)
    else:
        line = words.text("You are asked at “{gate}”; see your mail.", **facts)
    return [line]


def _some(texts: Sequence[str], words: Words) -> list[str]:
    more = len(texts) - NAMED
    return [*texts[:NAMED], words.text("and {count} more", count=more)] if more > 0 else list(texts)


def _title(ws: Workspace, gate: GateRow, words: Words) -> str:
    return ws.planned_gate(gate).title.in_language(words.language)


_ABOUT: Mapping[str, Callable[[Workspace, Message, Words], list[str]]] = {
    "news": _news,
    "stage": _stage,
    "gate": _gate,
    "mail": _mail,
}
