"""Plans whose stages want a resource to themselves, and rollouts that follow them."""

from __future__ import annotations

from sqlalchemy import func, select

from models.database import Database
from models.exclusive import Claim, queue_of
from models.rollouts import StageRow
from operations.progress import progress
from operations.rounds import new_gate_round, reopen_passed
from operations.workspace import LIVING_STAGES, locked
from tests.company import KEYS, MONDAY, Company
from tests.sample_plans import ROLES

CROWD = 20


def stage(name: str, exclusive: str = "", *, keys: str = "", on_reject: str = "hold", approvers: str = "board") -> str:
    """A stage with one gate, called like it, at which one of those asked says yes."""
    alone = f"exclusive: {exclusive}, " if exclusive else ""
    return (
        f"  - {{id: {name}, title: Stage {name}, {alone}{keys}gates: [{{id: {name}-gate, title: Gate {name}, "
        f'kind: sign-off, question: "Shall we?", approvers: [{approvers}], quorum: any, '
        f"on_reject: {on_reject}}}]}}\n"
    )


def plan(*stages: str, name: str = "shift") -> str:
    return f"plan: {name}\ntitle: Shift traffic\n{ROLES}\nstages:\n{''.join(stages)}"


ALONE = plan(stage("shift", "production"))
BACK = plan(stage("shift", "production", on_reject="{recycle: shift}", approvers="finance"))
SIDE_BY_SIDE = plan(stage("a", "production"), stage("b", "production", keys="needs: [], "))


class Rollouts:
    """Several rollouts in one company, each talked about in its turn."""

    def __init__(self, db: Database, *sources: str) -> None:
        self.db = db
        self.company = Company(db)
        self.ids = [self.company.start(source, title=f"Rollout {place}") for place, source in enumerate(sources)]

    def of(self, place: int) -> Company:
        """The company, talking about one of the rollouts."""
        self.company.rollout_id = self.ids[place]
        return self.company

    def state(self, place: int, name: str = "shift") -> str:
        return self.of(place).stage_states()[name]

    def states(self) -> list[str]:
        """Where the stage “shift” stands in each of them."""
        return [self.state(place) for place in range(len(self.ids))]

    def queue(self) -> list[int]:
        """Who uses production, and who waits for it."""
        with self.db.read() as session:
            return [self.ids.index(claim.rollout_id) for claim in session.scalars(queue_of("production"))]

    def shown(self, place: int, name: str = "shift") -> dict[str, object]:
        """What is said of a stage's place in the queue."""
        found = next(one for one in self.of(place).rollout()["stages"] if one["id"] == name)
        return {key: found[key] for key in ("waits_for", "uses")}


def ask_again(company: Company, name: str) -> None:
    """Ask a stage that has passed once more, as a lapse does."""
    with locked(company.db, KEYS, company.rollout_id, company.now) as ws:
        stage = next(row for row in ws.stages() if row.key == name)
        gates = [gate for gate in ws.gates() if gate.stage_id == stage.id]
        again = reopen_passed(ws, stage)
        for gate in gates:
            new_gate_round(ws, gate, again)
        progress(ws)


def open_at_once(db: Database) -> int:
    """How many stages that use the same resource are open at this moment; the most of any resource."""
    using = (
        select(func.count())
        .select_from(StageRow)
        .join(Claim, Claim.stage_id == StageRow.id)
        .where(StageRow.state.in_(LIVING_STAGES))
        .group_by(Claim.resource)
    )
    with db.read() as session:
        return max(session.scalars(using), default=0)


def take_the_first_place_again(db: Database) -> None:
    with db.write() as session:
        first = session.scalars(select(Claim).order_by(Claim.id).limit(1)).one()
        session.add(Claim(resource=first.resource, rollout_id=first.rollout_id, stage_id=first.stage_id,
                          claimed_at=MONDAY))  # fmt: skip
