"""Conditions of an approval: reading what was typed, which stage may hold to them, and the gate that each becomes."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TypeVar

from domain.durations import Duration, Rhythm, Unit
from domain.eligibility import normalise_address
from domain.errors import InvalidInput
from domain.plan import ChecklistGate, Expiry, Gate, Item, Plan, Text
from domain.reasons import Fact, Reason
from domain.stage_graph import onwards
from domain.typed_text import clean_line

MOST = 5
"""How many conditions one decision may carry."""
LONGEST_WHAT = 200  # characters; it becomes a title
_LONGEST_TITLE = 90
_FURTHEST = timedelta(days=3653)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_KEY = re.compile(r"condition-([1-9][0-9]{0,17})", re.ASCII)
_NOTHING_COMES_AFTER = "Nothing comes after this stage, so a condition could not be held to; say yes or no."
_T = TypeVar("_T")


@dataclass(frozen=True)
class TypedCondition:
    """One condition as it was typed: `who` an address, `due_on` such as 2026-03-31, `stage` an id or ""."""

    what: str = ""
    who: str = ""
    due_on: str = ""
    stage: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether nothing was written; a stage alone is what a form sends by itself."""
        return not (self.what.strip() or self.who.strip() or self.due_on.strip())


@dataclass(frozen=True)
class Promise:
    """A condition that can be held to: by the end of `due_on` in the plan's zone, before `stage` is through."""

    what: str
    who: str
    due_on: date
    stage: str


def field_of(number: int, part: str) -> str:
    """Return what the field of a condition is called, by its number from 1 and its part: what, who, due or stage."""
    return f"condition-{number}-{part}"


def key_of(condition_id: int) -> str:
    """Return the key of the gate that a condition becomes."""
    return f"condition-{condition_id}"


def condition_id_in(gate_key: str) -> int | None:
    """Return the condition that a gate of this key came from, or None for the key of any other gate."""
    match = _KEY.fullmatch(gate_key)
    return int(match[1]) if match else None


def stages_for(plan: Plan, stage_id: str, gate: Gate, passed: Collection[str]) -> list[str]:
    """Return the stages that may hold to the conditions made at a gate: what comes after its stage, and has not passed.

    The first is the one that holds when none is named: `conditions_in`, else the first in the plan's order. Empty
    where nothing comes after, and at a gate that binds nobody.
    """
    if not getattr(gate, "binding", True):
        return []
    after = onwards(plan.needs(), stage_id) - {stage_id} - set(passed)
    in_order = [stage.id for stage in plan.stages if stage.id in after]
    preferred = getattr(gate, "conditions_in", None)
    return sorted(in_order, key=lambda stage: stage != preferred)


def why_none(gate: Gate) -> Reason:
    """Return why a yes at this gate cannot carry conditions, where `stages_for` found no stage."""
    if not getattr(gate, "binding", True):
        return Reason("An answer here binds nobody, so it cannot carry conditions; write them as your reason.")
    return Reason(_NOTHING_COMES_AFTER)


def refuse_stray(typed: Sequence[TypedCondition]) -> None:
    """Raise InvalidInput, with the first field, when conditions were typed that do not go with the answer."""
    for number, one in enumerate(typed, start=1):
        if not one.is_empty:
            stray = Reason("Conditions go with “Yes, with conditions”; choose that, or empty this field.")
            raise InvalidInput(stray, {field_of(number, "what"): stray})


def read(typed: Sequence[TypedCondition], today: date, stages: Sequence[str]) -> list[Promise]:
    """Return the conditions that were typed; empty ones are left out. `today` is the day in the plan's zone.

    `stages` are those that may be named, the default first. Raises InvalidInput with a sentence for every field that
    is missing or cannot be used; `field_of` says what they are called, numbered as they come.
    """
    fields: dict[str, Reason] = {}
    promises = [
        _read(number, one, today, stages, fields) for number, one in enumerate(typed, start=1) if not one.is_empty
    ]
    if not promises:
        fields[field_of(1, "what")] = Reason("Write down the conditions.")
    if len(typed) > MOST:
        fields["conditions"] = Reason("At most {count} conditions go with one answer.", {"count": MOST})
    if fields:
        raise InvalidInput(Reason("Something is missing or cannot be used; nothing was recorded yet."), fields)
    return [promise for promise in promises if promise is not None]


def written(promises: Sequence[Promise]) -> str:
    """Return conditions as people read them: “what (who, by when)”, one in each line."""
    return "\n".join(f"{one.what} ({one.who}, {one.due_on.isoformat()})" for one in promises)


def due_when_asked(due_on: date, days: int, today: date, *, again: bool) -> date:
    """Return by when a condition is due that is asked now: on its day, which may be today.

    When its day has passed, or it is asked `again` because it has stopped a stage, it has the `days` it had before.
    """
    return today + timedelta(days=max(days, 1)) if again or due_on < today else due_on


def as_gate(condition_id: int, what: str, who: str, approver: str, days: int, made_at: Gate) -> ChecklistGate:
    """Return the gate that a condition becomes: `who` writes down what was done, whoever made it says whether it is.

    Whoever may not decide where it was made may not decide here either, in nobody's place; whoever may waive that gate
    may waive this one, too. When it is due is not the gate's matter.
    """
    title = made_at.title
    return ChecklistGate(
        id=key_of(condition_id),
        kind="checklist",
        title=title_of(what),
        question=Text(
            de=f"Auflage zur Freigabe «{title.in_language('de')}»: {what}",
            en=f"Condition of the approval “{title.in_language('en')}”: {what}",
        ),
        filled_by=who,
        items=[Item(id="done", title=Text(de="Was wurde getan?", en="What was done?"), kind="text")],
        approvers=[approver],
        exclude=getattr(made_at, "exclude", []),
        remind=Rhythm.parse("every 2 business days"),
        expires=Expiry(after=Duration(max(days, 1), Unit.DAY), outcome="hold"),
        on_reject="hold",
        waiver=made_at.waiver,
    )


def title_of(what: str) -> Text:
    """Return the title of the gate that a condition becomes."""
    return Text(de=_cut(f"Auflage: {what}"), en=_cut(f"Condition: {what}"))


def _cut(title: str) -> str:
    return title if len(title) <= _LONGEST_TITLE else f"{title[: _LONGEST_TITLE - 1].rstrip()}…"


def _read(
    number: int, typed: TypedCondition, today: date, stages: Sequence[str], fields: dict[str, Reason]
) -> Promise | None:
    def part(name: str, read: Callable[[], _T]) -> _T | None:
        try:
            return read()
        except InvalidInput as refusal:
            fields[field_of(number, name)] = refusal.explanation or Reason(refusal.sentence)
            return None

    what = part("what", lambda: _what(typed.what))
    who = part("who", lambda: _who(typed.who))
    due_on = part("due", lambda: _due_on(typed.due_on.strip(), today))
    stage = part("stage", lambda: _stage(typed.stage.strip(), stages))
    if what is None or who is None or due_on is None or stage is None:
        return None
    return Promise(what, who, due_on, stage)


def _what(typed: str) -> str:
    if (length := len(typed.strip())) > LONGEST_WHAT:
        facts: dict[str, Fact] = {"count": LONGEST_WHAT, "length": length}
        raise InvalidInput(Reason("At most {count} characters fit here; these are {length}.", facts))
    line = clean_line(typed, LONGEST_WHAT)
    if not line:
        raise InvalidInput(Reason("Say what has to be done."))
    return line


def _who(typed: str) -> str:
    if not typed.strip():
        raise InvalidInput(Reason("Say who sees to it: write an e-mail address."))
    try:
        return normalise_address(typed)
    except InvalidInput:
        sentence = "“{address}” is not an e-mail address; write it like anna.keller@example.com."
        raise InvalidInput(Reason(sentence, {"address": _excerpt(typed)})) from None


def _due_on(typed: str, today: date) -> date:
    if not typed:
        raise InvalidInput(Reason("Say by when."))
    due_on = _date(typed)
    if due_on is None:
        raise InvalidInput(Reason("“{day}” is not a date; write it like 2026-03-31.", {"day": _excerpt(typed)}))
    if due_on < today:
        raise InvalidInput(Reason("This day has passed; name today or a later one."))
    if due_on - today > _FURTHEST:
        raise InvalidInput(Reason("This is more than ten years away; name a nearer day."))
    return due_on


def _date(typed: str) -> date | None:
    try:
        return date.fromisoformat(typed) if _DAY.fullmatch(typed) else None
    except ValueError:
        return None


def _stage(typed: str, stages: Sequence[str]) -> str:
    if not stages:
        raise InvalidInput(Reason(_NOTHING_COMES_AFTER))
    if typed and typed not in stages:
        facts: dict[str, Fact] = {"stage": _excerpt(typed), "stages": ", ".join(stages)}
        raise InvalidInput(Reason("“{stage}” is not a stage that comes after this one; those are: {stages}.", facts))
    return typed or stages[0]


def _excerpt(typed: str) -> str:
    shown = "".join(character for character in typed.strip() if character.isprintable())
    return shown if len(shown) <= 60 else f"{shown[:60]}…"
