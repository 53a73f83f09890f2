"""Requests that no database holds: every purpose and state of a decision page, and verbs that do as they are told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from domain.errors import EtappeError, LinkUnknown
from domain.plan import Item, Text
from domain.reasons import Reason
from domain.states import DecisionKind, GateState, Outcome
from models.requests import Purpose, RequestState, VoidReason
from notifications.facts import (
    Answered,
    Attached,
    Filled,
    InputToChange,
    ItemToFill,
    LaterStage,
    Line,
    Question,
    Reader,
    Said,
    Settlement,
    Shift,
    Wish,
)
from operations.show_request import Addressee, RequestPage

TOKEN = "tZ0yVqk4m9XcJ2hB7nWfR1sLdPaEuGoI3K6vTxY8bQA"
CODE = "493 017"
DIGEST = "d" * 64
NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)

ANNA = Reader("anna.keller@example.com", "Anna Keller", "de", "Europe/Zurich")
JOHN = Reader("john.miller@example.com", "John Miller", "en", "Europe/Zurich")

_TEXTS: Mapping[str, Mapping[str, str]] = {
    "de": {
        "stage": "Bekenntnis der Geschäftsleitung",
        "gate": "Ja der Geschäftsleitung",
        "question": "Will die Geschäftsleitung den öffentlichen Dialog in sozialen Medien, und steht sie selbst dafür "
        "ein?",
        "details": "Es geht nicht darum, mitzulesen. Wer Ja sagt, antwortet auch auf Kritik, sichtbar für alle.",
    },
    "en": {
        "stage": "Executive commitment",
        "gate": "Executive sign-off",
        "question": "Does the executive board want a public dialogue in social media, and will it stand for it in "
        "person?",
        "details": "Reading along is not enough. Whoever says yes also answers criticism, in public.",
    },
}


def decide_page(reader: Reader = JOHN, **changed: Any) -> RequestPage:
    """Return an open request to decide a sign-off; `changed` are fields of the page or of its question."""
    texts = _TEXTS[reader.language]
    question = Question(
        rollout_id="r1",
        rollout_title="Social Media 2027",
        plan_title="Social Media",
        stage_title=texts["stage"],
        gate_key="executive-sign-off",
        gate_title=texts["gate"],
        kind="sign-off",
        purpose="decide",
        round=1,
        question=texts["question"],
        details=texts["details"],
        requester_name="Rita Meier",
        owner_name="Oskar Huber",
        owner_email="oskar.huber@example.com",
        why=Reason("The plan asks you to decide ({role}).", {"role": "Geschäftsleitung"}),
        on_yes=Reason("Your voice counts; {count} more are then needed before the gate passes.", {"count": 1}),
        on_no=Reason("If the gate can then no longer pass, the stage is put on hold."),
        on_silence=Reason(
            "Nobody's silence counts as a yes: from {moment} on, {people} will be asked.",
            {"moment": "2026-12-01T08:00:00+00:00", "people": "Carla Rossi"},
        ),
        due_at=datetime(2026, 12, 22, 8, 0, tzinfo=UTC),
        counted=1,
        needed=3,
        said=(
            said("Ben Frei", DecisionKind.APPROVE_WITH_CONDITIONS, conditions="Legal checks the texts, by 31 March"),
        ),
        waiting_for=("Carla Rossi", reader.name),
        choices=tuple(DecisionKind),
        condition_stages=(LaterStage("pilot", "Pilot"), LaterStage("wave-one", "First wave")),
    )
    page = RequestPage(
        request_id="q1",
        reader=reader,
        purpose=Purpose.DECIDE,
        state=RequestState.OPEN,
        question=question,
        digest=DIGEST,
        mine=None,
        settlement=None,
        void_reason=None,
        closed_at=None,
    )
    return changed_page(page, **changed)


_OWN = frozenset(RequestPage.__dataclass_fields__) - {"question"}


def changed_page(page: RequestPage, **changed: Any) -> RequestPage:
    """Return a page with some of its own fields, or its question's, replaced."""
    own = {name: value for name, value in changed.items() if name in _OWN}
    asked = {name: value for name, value in changed.items() if name not in own}
    if "purpose" in own:
        asked["purpose"] = own["purpose"].value
    return replace(page, **own, question=replace(page.question, **asked))


def budget_page(reader: Reader = JOHN, **changed: Any) -> RequestPage:
    """Return an open request to decide a budget."""
    lines = (Line("Monitoring <b>", Decimal(18000)), Line("Kampagnen", Decimal("42500.50")))
    facts: dict[str, Any] = {"kind": "budget", "gate_title": "Budget 2027", "budget": lines, "currency": "CHF"}
    return decide_page(reader, **{**facts, "budget_total": Decimal("60500.50"), **changed})


def review_page(reader: Reader = JOHN, **changed: Any) -> RequestPage:
    """Return an open request to review a pilot."""
    choices = ("approve", "approve-with-conditions", "hold", "recycle", "kill", "request-changes", "abstain")
    facts: dict[str, Any] = {"kind": "review", "gate_title": "Pilot", "choices": choices, "lessons_required": True}
    return decide_page(reader, **{**facts, **changed})


def checklist_page(reader: Reader = JOHN, **changed: Any) -> RequestPage:
    """Return an open request to fill in a list."""
    items = (
        _to_fill("people", "people", "Wer arbeitet daran?", minimum=Decimal(2)),
        _to_fill("hours", "number", "Stunden je Woche", each=True, people_from="people", minimum=Decimal(8), unit="h"),
        _to_fill("training", "number", "Schulungstage im Jahr", minimum=Decimal("2.5"), unit="Tage"),
        _to_fill("rhythm", "text", "Wann und wo trifft sich das Team?"),
        _to_fill("affinity", "yes-no", "Haben alle Lust darauf?"),
        _to_fill("remarks", "text", "Bemerkungen", required=False),
    )
    facts: dict[str, Any] = {
        "kind": "checklist",
        "gate_title": "Team",
        "purpose": Purpose.ANSWER,
        "to_fill": items,
        "said": (),
    }
    return decide_page(reader, **{**facts, "needed": 0, "counted": 0, **changed})


def _to_fill(item_id: str, kind: Any, title: str, unit: str = "", **facts: Any) -> ItemToFill:
    text = Text(de=title, en=title)
    return ItemToFill(Item(id=item_id, kind=kind, title=text, **facts), title, unit, "")


def confirm_page(reader: Reader = JOHN, **changed: Any) -> RequestPage:
    """Return an open request to confirm having read a text."""
    text = "Liebe Kolleginnen und Kollegen\n\nAb Januar sprechen wir öffentlich.\nAlle dürfen mitreden."
    facts: dict[str, Any] = {
        "kind": "acknowledgement",
        "gate_title": "Ankündigung",
        "question": text,
        "details": "",
        "on_no": None,
    }
    invite = "Probiert Ihr Team schon etwas aus?"
    facts |= {"choices": ("approve",), "invite_comment": invite}
    return decide_page(reader, **{**facts, "purpose": Purpose.CONFIRM, **changed})


def measure_page(reader: Reader = JOHN, **changed: Any) -> RequestPage:
    """Return an open request to bring a value."""
    facts: dict[str, Any] = {
        "kind": "measurement",
        "gate_title": "Besuche",
        "target": "≥ 1200 Besuche",
        "metric": "visits",
        "said": (),
    }
    return decide_page(reader, **{**facts, "purpose": Purpose.MEASURE, "needed": 0, "question": "Besuche", **changed})


def filled_page(reader: Reader = JOHN, **changed: Any) -> RequestPage:
    """Return an open request to approve a list that was filled in."""
    filled = (Filled("Wer arbeitet daran?", "Ada Lo\nBea Ott"), Filled("Haben alle Lust darauf?", "yes"))
    return decide_page(reader, **{"kind": "checklist", "gate_title": "Team", "filled": filled, **changed})


def respond_page(reader: Reader = JOHN, **changed: Any) -> RequestPage:
    """Return an open request to answer a request for changes."""
    to_change = (
        InputToChange("budget", "Budget <2027>", "budget", "CHF", True, "Agentur: 12500.00\nFilm: 900.00"),
        InputToChange("concept", "Konzept", "text", "", False, "Mutig\nund frech"),
        InputToChange("target", "Ziel", "number", "", False, "1200"),
        InputToChange("begins", "Beginn", "date", "", False, "2027-01-04"),
        InputToChange("external", "Extern?", "yes-no", "", False, "yes"),
    )
    facts: dict[str, Any] = {
        "purpose": Purpose.RESPOND,
        "on_no": None,
        "due_at": None,
        "paused_at": NOW,
        "wishes": (Wish("Carla Rossi", "Bitte <günstiger>.\nUnd bald.", NOW),),
        "to_change": to_change,
        "attached": ATTACHED,
        "choices": (),
    }
    return decide_page(reader, **{**facts, **changed})


ATTACHED = (
    Attached(7, "Offerte <2026>.pdf", 12_345, "", "d" * 64),
    Attached(8, "Übersicht", 0, "https://intranet.example.com/a?b=1&c=2", ""),
)
ANSWERED = Answered(
    "Oskar Huber",
    "oskar.huber@example.com",
    NOW,
    "Nun <günstiger>.",
    (Wish("Carla Rossi", "Bitte günstiger.", NOW),),
    (Shift("Budget", "Agentur: 12500.00", "Agentur: 9000.00"), Shift("", "", "Offerte.pdf (12.1 KB, 3f2a91c0)")),
)


def said(name: str, decision: DecisionKind = DecisionKind.APPROVE, **facts: Any) -> Said:
    """Return one person's word."""
    email = f"{name.lower().replace(' ', '.')}@example.com"
    defaults = {"choice": None, "comment": "", "conditions": "", "lessons": "", "at": NOW}
    return Said(name, email, decision, **{**defaults, **facts})


def settlement(state: GateState = GateState.PASSED, outcome: Outcome = Outcome.GO) -> Settlement:
    """Return what a gate came to."""
    return Settlement(state, outcome, Reason("{counted} of {needed} needed voices", {"counted": 3, "needed": 3}), NOW)


def done_page(page: RequestPage | None = None, **changed: Any) -> RequestPage:
    """Return a request that was answered."""
    page = page or decide_page()
    mine = Said(page.reader.name, page.reader.email, DecisionKind.APPROVE, None, "", "", "", NOW)
    facts = {"state": RequestState.DONE, "mine": mine, "closed_at": NOW}
    return changed_page(
        page, **{**facts, "said": (*page.question.said, mine), "waiting_for": ("Carla Rossi",), **changed}
    )


def void_page(reason: VoidReason, reader: Reader = JOHN, **changed: Any) -> RequestPage:
    """Return a request that no longer counts."""
    facts = {"state": RequestState.VOID, "void_reason": reason, "closed_at": NOW, "waiting_for": ()}
    return decide_page(reader, **{**facts, **changed})


@dataclass
class FakeOperations:
    """Stands in for the verbs that the decision page calls. `pages` by token; a POST raises `refusal`, or records."""

    pages: dict[str, RequestPage]
    refusal: EtappeError | None = None
    recorded: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    shown: int = 0

    def show_request(self, db: object, token: str, now: datetime) -> RequestPage:
        """Return the page of a token."""
        self.shown += 1
        if token not in self.pages:
            raise LinkUnknown()
        return self.pages[token]

    def addressee(self, db: object, token: str, now: datetime) -> Addressee:
        """Return who the page of a token is for."""
        page = self.show_request(db, token, now)
        return Addressee(page.purpose, page.reader)

    def record_decision(self, db: object, keys: object, token: str, form: Any, now: datetime) -> RequestPage:
        """Remember a decision."""
        return self._record("decision", token, vars(form))

    def record_answers(
        self, db: object, keys: object, token: str, fields: Mapping[str, str], code: str, digest: str, now: datetime
    ) -> RequestPage:
        """Remember a list."""
        return self._record("answers", token, {"fields": dict(fields), "code": code, "digest": digest})

    def record_measurement_by_link(
        self, db: object, keys: object, token: str, value: str, sample: str, code: str, digest: str, now: datetime
    ) -> RequestPage:
        """Remember a value."""
        return self._record("measurement", token, {"value": value, "sample": sample, "code": code, "digest": digest})

    def answer_changes_by_link(
        self, db: object, keys: object, token: str, answer: Any, code: str, digest: str, now: datetime
    ) -> RequestPage:
        """Remember an answer, with its files read."""
        files = [(file.name, file.content.read()) for file in answer.files]
        facts = {**vars(answer), "files": files, "code": code, "digest": digest}
        return self._record("response", token, facts)

    def _record(self, verb: str, token: str, facts: dict[str, Any]) -> RequestPage:
        if self.refusal:
            raise self.refusal
        self.recorded.append((verb, facts))
        self.pages[token] = done_page(self.pages[token])
        return self.pages[token]
