"""Typed mails for tests and for looking at: ordinary ones, and ones with the worst that people may type."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from domain.plan import Item, Text
from domain.reasons import Reason
from domain.states import DecisionKind, GateState, Outcome
from notifications.facts import (
    Answered,
    Attached,
    Filled,
    ItemToFill,
    Line,
    Question,
    Reader,
    Said,
    Settlement,
    Shift,
    Wish,
)
from notifications.messages import (
    CodeMail,
    DigestMail,
    EscalationMail,
    Group,
    InformationMail,
    LapsedMail,
    Mail,
    OutcomeMail,
    ReceiptMail,
    ReminderMail,
    RequestMail,
    RolloutPage,
)

LINK = "http://127.0.0.1:8400/decide/kQ3f0v8mXq1t7cN2bZr5yUeW9aLs4dGhJpTiOoRvB6E"
PAGE = "http://127.0.0.1:8400/rollouts/r7k2m9/Zk9f0v8mXq1t7cN2bZr5yUeW9aLs4dGhJpTiOoRvB6E"
CODE = "123456"
DUE = datetime(2026, 11, 24, 13, 5, tzinfo=UTC)
ASKED = datetime(2026, 11, 10, 8, 0, tzinfo=UTC)
READERS = {
    "de": Reader("anna.keller@example.com", "Anna Keller", "de", "Europe/Zurich"),
    "en": Reader("oliver.smith@example.com", "Oliver Smith", "en", "Europe/London"),
}
NASTY = "<script>alert(\"1\")</script> & 'so' {{ 7*7 }} {weiter} %(x)s"


def question(language: str, purpose: str = "decide", kind: str = "sign-off", **changes: Any) -> Question:
    """Return an ordinary question in one language."""
    german = language == "de"
    facts: dict[str, Any] = {
        "rollout_id": "r7k2m9",
        "rollout_title": "Social Media bei der Muster AG" if german else "Social media at Muster Ltd",
        "plan_title": "Social Media einführen" if german else "Introduce social media",
        "stage_title": "Bekenntnis der Geschäftsleitung" if german else "Executive commitment",
        "gate_key": "executive-sign-off",
        "gate_title": "Ja der Geschäftsleitung" if german else "Executive sign-off",
        "kind": kind,
        "purpose": purpose,
        "round": 1,
        "question": (
            "Steht die Geschäftsleitung hinter der Einführung von Social Media, auch wenn es zuerst nur kostet?"
            if german
            else "Does the executive board stand behind social media, even while it only costs money at first?"
        ),
        "details": "",
        "requester_name": "Lea Brunner",
        "owner_name": "Marc Favre",
        "owner_email": "marc.favre@example.com",
        "why": Reason("The plan asks you to decide ({role}).", {"role": "Geschäftsleitung" if german else "Board"}),
        "on_yes": Reason(
            "Your voice counts; {count} more are then needed before the gate passes.",
            {"count": 1},
        ),
        "on_no": Reason("If the gate can then no longer pass, the stage is put on hold."),
        "on_silence": Reason(
            "Nobody's silence counts as a yes: on {moment} the stage is put on hold.",
            {"moment": DUE.isoformat()},
        ),
        "due_at": DUE,
        "counted": 1,
        "needed": 3,
        "said": (said(),),
        "waiting_for": (READERS[language].name, "Carla Rossi"),
        "choices": tuple(DecisionKind),
    }
    return Question(**{**facts, **changes})


def said(decision: DecisionKind = DecisionKind.APPROVE_WITH_CONDITIONS, **changes: Any) -> Said:
    """Return somebody's word."""
    facts: dict[str, Any] = {
        "name": "Beat Graf",
        "email": "beat.graf@example.com",
        "decision": decision,
        "choice": None,
        "comment": "",
        "conditions": "Der Rechtsdienst prüft die Richtlinien, Ben Meier, bis 31. März.",
        "lessons": "",
        "at": datetime(2026, 11, 11, 9, 30, tzinfo=UTC),
    }
    return Said(**{**facts, **changes})


def answered(**changes: Any) -> Answered:
    """Return what an owner answered to a request for changes."""
    facts: dict[str, Any] = {
        "name": "Marc Favre",
        "email": "marc.favre@example.com",
        "at": ASKED,
        "reply": "Die Agentur ist günstiger geworden.",
        "asked": (Wish("Beat Graf", "Bitte mit Zahlen.", ASKED),),
        "changes": (
            Shift("Budget", "Agentur: 18000.00", "Agentur: 12000.00\nFilm: 900.00"),
            Shift("", "", "Offerte.pdf (12.1 KB, 3f2a91c0)"),
        ),
    }
    return Answered(**{**facts, **changes})


ATTACHED = (
    Attached(7, "Offerte <2026>.pdf", 12_345, "", "d" * 64),
    Attached(8, "Übersicht", 0, "https://intranet.example.com/a?b=1&c=2", ""),
)


def by_purpose(language: str) -> dict[str, Question]:
    """Return one question for each purpose, and a budget and a review beside."""
    people = Item(id="people", title=Text(de="x", en="x"), kind="people", minimum=Decimal(2))
    hours = Item(id="hours", title=Text(de="x", en="x"), kind="number", minimum=Decimal(4), required=False)
    return {
        "decide": question(language),
        "budget": question(
            language,
            kind="budget",
            gate_title="Budget",
            budget=(Line("Agentur, Konzept und Schulung", Decimal(18000)), Line("Werbung", Decimal("6500.50"))),
            budget_total=Decimal("24500.50"),
            currency="CHF",
        ),
        "review": question(
            language,
            kind="review",
            gate_title="Pilot",
            said=(said(DecisionKind.REJECT, choice=Outcome.HOLD, comment="Noch zu früh.", conditions=""),),
            filled=(Filled("Team", "Anna\nBen"),),
            round=2,
        ),
        "answer": question(
            language,
            purpose="answer",
            kind="checklist",
            on_no=None,
            to_fill=(ItemToFill(people, "Wer macht mit?", "", ""), ItemToFill(hours, "Stunden", "h", "")),
        ),
        "confirm": question(language, purpose="confirm", kind="acknowledgement", on_no=None, due_at=None),
        "respond": question(
            language,
            purpose="respond",
            on_no=None,
            due_at=None,
            paused_at=ASKED,
            wishes=(Wish("Beat Graf", "Bitte mit Zahlen.\nUnd Quellen.", ASKED), Wish("Carla Rossi", "Kürzer.", ASKED)),
        ),
        "answered": question(language, changed=answered()),
        "measure": question(language, purpose="measure", kind="measurement", metric="visits", target="≥ 1200"),
    }


def worst(language: str) -> Question:
    """Return a question in which everything typed is as long and as nasty as it may be."""
    long = f"{NASTY} {'Donaudampfschifffahrtsgesellschaftskapitän' * 3} " * 2
    return question(
        language,
        rollout_title=long[:150],
        stage_title=long[:150],
        gate_title=long[:150],
        question=long * 3,
        details="First.\n\nSecond.\n" + NASTY,
        requester_name=NASTY,
        owner_name=NASTY,
        why=Reason("The plan asks you to decide ({role}).", {"role": NASTY}),
        said=(said(comment=long, conditions="a\nb", lessons=NASTY, name=NASTY),),
        waiting_for=tuple(f"{n} {NASTY}" for n in range(30)),
        wishes=(Wish(NASTY, long, ASKED),),
        changed=answered(name=NASTY, reply=long, asked=(Wish(NASTY, long, ASKED),), changes=(Shift(NASTY, long, ""),)),
        due_at=None,
        budget=(Line(long, Decimal("123456789012.99")),),
        budget_total=Decimal("123456789012.99"),
        currency="CHF",
    )


def every_mail(language: str, asked: Question, reader: Reader | None = None) -> Mapping[str, Mail]:
    """Return one mail of every template about one question."""
    to: dict[str, Any] = {
        "reader": reader or READERS[language],
        "rollout_id": asked.rollout_id,
        "rollout_title": asked.rollout_title,
    }
    asking: dict[str, Any] = {**to, "question": asked, "link": LINK, "code": CODE}
    because = Reason("{counted} of {needed} needed voices", {"counted": 3, "needed": 3})
    reminder = ReminderMail(**asking, asked_at=ASKED)
    other = replace(reminder, link=LINK.replace("kQ3", "aaa"), code="987654")
    outcome = OutcomeMail(
        **to,
        gate=asked.gate_key,
        gate_title=asked.gate_title,
        stage_title=asked.stage_title,
        settlement=Settlement(GateState.PASSED, Outcome.GO, because, DUE),
        said=asked.said,
        follows=Reason("The rollout goes on."),
        page=PAGE,
    )
    information = InformationMail(
        **to,
        headline=Reason("On hold: “{stage}”", {"stage": asked.stage_title}),
        sentences=(
            Reason(
                "The gate “{gate}” did not pass, so the stage waits until somebody decides how to go on.",
                {"gate": asked.gate_title},
            ),
        ),
        what_to_do=(
            Reason(
                'To call it off: etappe rollout cancel {rollout} --reason "why"',
                {"rollout": asked.rollout_id},
            ),
        ),
        quote="Wir warten.\nBis im Mai.",
        quoted="Beat Graf",
        page=PAGE,
    )
    return {
        "request": RequestMail(**asking),
        "reminder": reminder,
        "escalation": EscalationMail(**asking, asked_at=ASKED, silent=("Carla Rossi", "Beat Graf"), replaces=False),
        "lapsed": LapsedMail(
            **asking,
            because=Reason("“{what}” went from {before} to {after}", {"what": "Budget", "before": "1", "after": "2"}),
            mine=said(),
        ),
        "code": CodeMail(**asking),
        "digest": DigestMail(
            **to,
            at=DUE - timedelta(hours=5),
            groups=(
                Group(asked.rollout_title, (reminder, other), (outcome,)),
                Group("Another rollout", (), (information,)),
            ),
            questions=22,
            told=3,
            more=21,
            pages=(RolloutPage(asked.rollout_title, PAGE),),
        ),
        "receipt": ReceiptMail(**to, question=asked, mine=said(comment="Gut überlegt."), link=LINK),
        "outcome": outcome,
        "information": information,
    }
