"""Let a rollout go over to a newer version of its plan, or look at what that would mean.

All of it is one transaction under the rollout's lock: a refusal at any point leaves everything as it was.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from domain import typed_text
from domain.errors import InvalidInput, RolloutEnded
from domain.migration import Fate, GateFate
from domain.plan import Plan
from domain.reasons import Reason
from domain.states import ENDED
from models.database import Database
from notifications.language import Words
from operations.asking import open_requests
from operations.migration import Move, counting_decisions, move_to, planned_gates
from operations.naming import reader_of
from operations.plan_versions import again_when_it_collides, version_of
from operations.progress import progress
from operations.replanning import follow
from operations.telling import inform
from operations.workspace import Actor, Workspace, locked

LONGEST_REASON = 2000  # characters


def migrate_rollout(
    db: Database,
    keys: Sequence[bytes],
    rollout_id: str,
    plan: Plan,
    source: str,
    reason: str,
    actor: Actor,
    now: datetime,
) -> Move:
    """Let a rollout follow this version of its plan from now on; nothing changes when it does already.

    Raises UnknownRollout, NotAllowed for a stranger and for the requester, RolloutEnded, InvalidInput without a reason,
    for another plan, missing inputs, lost conditions, or a resource that others use; RoleNotHeld or QuorumImpossible
    for a gate that nobody could be asked at.
    """
    words = typed_text.clean_text(reason, LONGEST_REASON)
    if not words:
        raise InvalidInput("Going over to another version of the plan needs a reason.", {"reason": Reason("Say why.")})

    def attempt() -> Move:
        with locked(db, keys, rollout_id, now, actor) as ws:
            ws.refuse_strangers(requester_may=False)
            return _migrate(ws, plan, source, words)

    return again_when_it_collides(attempt)


class _OnlyLooking(Exception):
    """Takes back everything that was done in a transaction, and carries out what came of it."""

    def __init__(self, move: Move) -> None:
        self.move = move


def preview_migration(
    db: Database, keys: Sequence[bytes], rollout_id: str, plan: Plan, source: str, now: datetime
) -> Move:
    """Return what it would mean: it is done and taken back, so that whatever would refuse it refuses here, too.

    Raises what `migrate_rollout` raises, save for who asks and why.
    """

    def attempt() -> Move:
        try:
            with locked(db, keys, rollout_id, now) as ws:
                raise _OnlyLooking(_migrate(ws, plan, source, ""))
        except _OnlyLooking as looked:
            return looked.move

    return again_when_it_collides(attempt)


def _migrate(ws: Workspace, plan: Plan, source: str, reason: str) -> Move:
    if ws.rollout.state in ENDED:
        raise RolloutEnded(f"The rollout is {ws.rollout.state}; it keeps the version of its plan for good.")
    version = version_of(ws.session, plan, source, ws.now)
    move = move_to(ws, version)
    if not move.stays_put:
        ws.session.add(version)
        ws.note("rollout.migrated", comment=reason, facts=_facts(move))
        _tell(ws, move, reason)
        follow(ws, move, version)
        progress(ws)
    return move


def _facts(move: Move) -> dict[str, object]:
    gates = {fate.value: [gate.id for gate in move.migration.gates(fate)] for fate in Fate}
    stages = {
        fate.value: [stage.id for stage in move.migration.stages if stage.fate is fate]
        for fate in Fate
        if fate is not Fate.STAYS
    }
    return {"plan": move.plan, "from": move.before, "to": move.after, "gates": gates,
            "stages": stages}  # fmt: skip


def _tell(ws: Workspace, move: Move, reason: str) -> None:
    """One mail each: what it means for those who look after the rollout, and for those who were asked or decided."""
    caretakers = [ws.rollout.owner, ws.rollout.requester]
    told = defaultdict(list, {person: _overview(ws, move) for person in caretakers})
    for person, sentence in _concerned(ws, move):
        if sentence not in told[person]:
            told[person].append(sentence)
    headline = Reason("The plan has a newer version, and the rollout follows it now")
    where = [Reason("To see where it stands: etappe rollout show {rollout}", {"rollout": ws.rollout.id})]
    quoted = ws.actor.address if "@" in ws.actor.address else ""
    for person, sentences in told.items():
        inform(ws, [person], headline, sentences, where if person in caretakers else [], quote=reason, quoted=quoted)


_OVERVIEW = {
    Fate.STAYS: "What was decided stays valid at: {gates}",
    Fate.AGAIN: "Asked again: {gates}",
    Fate.NEW: "New: {gates}",
    Fate.GONE: "No longer asked: {gates}",
}


def _overview(ws: Workspace, move: Move) -> list[Reason]:
    titles = {
        fate: ", ".join(move.title(gate, ws.rollout.language) for gate in move.migration.gates(fate))
        for fate in _OVERVIEW
    }
    return [Reason(_OVERVIEW[fate], {"gates": named}) for fate, named in titles.items() if named]


def _concerned(ws: Workspace, move: Move) -> list[tuple[str, Reason]]:
    """Whose answer lapses, and whose link no longer counts; of a voice that was lent, both people hear of it."""
    rows = planned_gates(ws)
    concerned: list[tuple[str, Reason]] = []
    for fate in move.migration.gates(Fate.AGAIN):
        for word in counting_decisions(ws, rows[fate.id]):
            concerned += [(one, _lapsed(ws, move, fate, one)) for one in dict.fromkeys([word.voice, word.person])]
    for fate in move.migration.gates(Fate.AGAIN, Fate.GONE):
        for request in open_requests(ws, rows[fate.id]):
            concerned.append((request.person, _link_is_void(ws, move, fate, request.person)))
    return concerned


def _lapsed(ws: Workspace, move: Move, fate: GateFate, person: str) -> Reason:
    return Reason("Your answer at “{gate}” no longer counts, because {why}.", _why(ws, move, fate, person))


def _link_is_void(ws: Workspace, move: Move, fate: GateFate, person: str) -> Reason:
    if fate.fate is Fate.GONE:
        title = {"gate": move.title(fate, ws.rollout.language)}
        return Reason("“{gate}” is no longer asked; your link for it no longer counts.", title)
    return Reason(
        "“{gate}” is asked again, because {why}. Your link no longer counts; if you are asked, a new one comes.",
        _why(ws, move, fate, person),
    )


def _why(ws: Workspace, move: Move, fate: GateFate, person: str) -> dict[str, str | int]:
    """The causes in the person's own language: they stand inside a sentence."""
    reader = reader_of(ws, person)
    words = Words(reader.language, reader.time_zone)
    return {"gate": move.title(fate, ws.rollout.language), "why": "; ".join(words.say(each) for each in fate.because)}
