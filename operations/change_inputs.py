"""Change what a rollout is about: its inputs, its budget. Approvals that were given for something else lapse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from domain import inputs, typed_text
from domain.budget import lines_given
from domain.errors import InvalidInput, RolloutEnded
from domain.nearest import suggestion
from domain.pinning import why_lapsed
from domain.plan import BudgetGate, InputKind
from domain.reasons import Reason
from domain.states import ENDED
from models.database import Database
from models.requests import Decision
from operations.evidence import keep
from operations.lapsing import lapse_what_changed
from operations.naming import names_of
from operations.progress import progress
from operations.rebanding import apply_bands
from operations.telling import inform
from operations.workspace import Actor, Workspace, locked

_LONGEST_REASON = 2000  # characters
_SHORT = 200  # characters: longer ones stand in the record by their digest alone


def change_inputs(
    db: Database,
    keys: Sequence[bytes],
    rollout_id: str,
    changes: Mapping[str, Any],
    reason: str,
    actor: Actor,
    now: datetime,
) -> list[Reason]:
    """Change inputs of a rollout and return what has changed, in words. Budgets are given as lists of BudgetLine.

    Raises UnknownRollout, NotAllowed for a stranger, RolloutEnded, InvalidInput for what the plan does not ask for, is
    not of its kind or is as before, and without a reason, QuorumImpossible or RoleNotHeld when nobody could approve it
    as it would be then; nothing is changed in these cases.
    """
    words = typed_text.clean_text(reason, _LONGEST_REASON)
    if not words:
        raise InvalidInput("Changing what a rollout is about needs a reason.", {"reason": Reason("Say why.")})
    with locked(db, keys, rollout_id, now, actor) as ws:
        ws.refuse_strangers()
        changed, lapsed = apply_changes(ws, changes, words)
        if not changed:
            raise InvalidInput("Nothing would change: everything is as you have given it already.")
        _tell(ws, [*changed, *_whose_lapsed(ws, lapsed)], words)
        progress(ws)
        return changed


def _tell(ws: Workspace, sentences: Sequence[Reason], words: str) -> None:
    by = ws.actor.address
    told = [ws.rollout.requester, ws.rollout.owner]
    headline = Reason("What the rollout is about has changed")
    inform(ws, told, headline, sentences, quote=words, quoted=by if "@" in by else "")


def _whose_lapsed(ws: Workspace, lapsed: Sequence[Decision]) -> list[Reason]:
    people = dict.fromkeys(decision.voice for decision in lapsed)
    if not people:
        return []
    return [Reason("What these had answered no longer counts, and they are asked again: {people}",
                   {"people": names_of(ws, people)})]  # fmt: skip


def apply_changes(ws: Workspace, changes: Mapping[str, Any], reason: str) -> tuple[list[Reason], list[Decision]]:
    """Change inputs under the rollout's lock, and let lapse what was given for something else.

    Returns what has changed, in words, and what has lapsed; progress is left to the caller. Raises what
    `change_inputs` raises.
    """
    if ws.rollout.state in ENDED:
        raise RolloutEnded(f"The rollout is {ws.rollout.state}; what it was about can no longer be changed.")
    before = ws.rollout.inputs
    after = {**before, **_read(ws, changes)}
    moved = [name for name in changes if before.get(name) != after.get(name)]
    if not moved:
        return [], []
    _refuse_empty_budgets(ws, after)
    ws.rollout.inputs = after
    told = [_note(ws, name, before.get(name), after.get(name), reason) for name in moved]
    ws.session.flush()
    apply_bands(ws)
    return told, lapse_what_changed(ws)


def _read(ws: Workspace, changes: Mapping[str, Any]) -> dict[str, Any]:
    asked = ws.plan.inputs
    for name in changes:
        if name not in asked:
            raise InvalidInput(f"“{name}” is not an input of the plan{suggestion(name, asked)}")
    budgets = {name: value for name, value in changes.items() if asked[name].kind is InputKind.BUDGET}
    kept = {name: value for name, value in ws.rollout.inputs.items() if name in asked}  # a plan may ask for less later
    plain = {name: value for name, value in kept.items() if asked[name].kind is not InputKind.BUDGET}
    given = {name: value for name, value in changes.items() if name not in budgets}
    read = inputs.read(asked, {**plain, **given})
    lines = {name: [line.model_dump(mode="json") for line in lines_given(value)] for name, value in budgets.items()}
    return {**{name: read.get(name) for name in given}, **lines}


def _refuse_empty_budgets(ws: Workspace, after: Mapping[str, Any]) -> None:
    for stage in ws.plan.stages:
        for gate in stage.gates:
            if isinstance(gate, BudgetGate) and not after.get(gate.input):
                raise InvalidInput(f"The gate “{gate.id}” is about the budget; leave at least one line in it.")


def _note(ws: Workspace, name: str, before: Any, after: Any, reason: str) -> Reason:
    facts: dict[str, Any] = {"input": name, "from": keep(ws, before), "to": keep(ws, after)}
    facts |= {key: value for key, value in (("before", before), ("after", after)) if len(str(value)) <= _SHORT}
    ws.note("rollout.input-changed", facts=facts, comment=reason)
    return why_lapsed(name, ws.plan, before, after, ws.rollout.language)
