"""Who may look at which rollout: whoever looks after it or has a part in it, and administrators. Read only."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from domain import authority
from domain.authority import Caretakers
from domain.errors import UnknownRollout
from domain.plan import ADMINISTRATOR, Plan
from models.database import Database
from models.requests import rollouts_with_a_part_for
from models.rollouts import Rollout
from operations.directory import Directory, Holders, holders_now
from operations.kept_plans import plan_of


def require_seen(db: Database, rollout_id: str, person: str) -> None:
    """Raise UnknownRollout unless there is this rollout and this person may look at it."""
    with db.read() as session:
        rollout = session.get(Rollout, rollout_id)
        if rollout is None or rollout not in seen(session, [rollout], person):
            raise UnknownRollout(f"There is no rollout “{rollout_id}” among those that you have a part in.")


def seen(session: Session, rollouts: Sequence[Rollout], person: str) -> list[Rollout]:
    """Return those of these rollouts that a person may look at."""
    holders = holders_now(session)
    part_in = set(session.scalars(rollouts_with_a_part_for(person, [one.id for one in rollouts])))
    return [one for one in rollouts if one.id in part_in or _looks_after_or_is_named(one, holders, person)]


def _looks_after_or_is_named(rollout: Rollout, holders: Holders, person: str) -> bool:
    directory, plan = Directory.of(holders, rollout), plan_of(rollout.plan_version)
    caretakers = Caretakers(
        rollout.owner,
        rollout.requester,
        frozenset(directory.people([stage.owner for stage in plan.stages])),
        frozenset(directory.resolve(ADMINISTRATOR)),
    )
    return authority.may_see(person, caretakers, directory.people(_may_waive(plan)))


def _may_waive(plan: Plan) -> list[str]:
    return [entry for stage in plan.stages for gate in stage.gates for entry in gate.waiver]
