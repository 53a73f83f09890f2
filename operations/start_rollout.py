"""Start a rollout. Whatever would stop it later for want of people or money lines stops it here, with one sentence."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from domain import inputs, typed_text
from domain.budget import BudgetLine
from domain.eligibility import normalise_address
from domain.errors import InvalidInput, UnknownPerson
from domain.nearest import suggestion
from domain.plan import ADMINISTRATOR, BUILT_IN_ROLES, InputKind, Plan
from domain.reasons import Reason
from domain.states import RolloutState
from models.database import Database
from models.gates import GateRow
from models.people import Person
from models.rollouts import Rollout, StageRow, rollout_of_flow_run
from operations.feasible import refuse_what_cannot_work
from operations.plan_versions import again_when_it_collides, version_of
from operations.progress import progress
from operations.telling import inform
from operations.workspace import Actor, Workspace

_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # nothing that is misread on paper or on the telephone


@dataclass(frozen=True)
class Start:
    """What a rollout is started with. `people` (role to addresses) goes over the directory's."""

    plan: Plan
    source: str
    title: str
    requester: str
    owner: str = ""
    language: str = "en"
    start_on: date | None = None
    people: Mapping[str, Sequence[str]] = field(default_factory=dict)
    budget: Sequence[BudgetLine] = ()
    inputs: Mapping[str, Any] = field(default_factory=dict)
    flow_run_id: str | None = None
    channel: str = "prefect"


def start_rollout(db: Database, keys: Sequence[bytes], start: Start, now: datetime) -> str:
    """Start a rollout and return its id. Starting again with the same flow run returns the one that was started.

    Raises UnknownPerson, RoleNotHeld, QuorumImpossible or InvalidInput; nothing is then started.
    """
    return again_when_it_collides(lambda: _start(db, keys, start, now))


def _start(db: Database, keys: Sequence[bytes], start: Start, now: datetime) -> str:
    with db.write() as session:
        if start.flow_run_id and (known := session.scalars(rollout_of_flow_run(start.flow_run_id)).first()):
            return known.id
        rollout = _rollout(session, start, now)
        session.add(rollout)
        session.flush()
        ws = Workspace(session, keys, rollout, now, Actor(rollout.requester, start.channel))  # nobody else knows it yet
        refuse_what_cannot_work(
            (gate for stage in ws.plan.stages for gate in stage.gates), ws.directory, rollout.inputs
        )
        _lay_out(ws)
        ws.note("rollout.started", facts={"plan": start.plan.name, "version": rollout.plan_version.version})
        _tell_the_owner(ws)
        progress(ws)
        return rollout.id


def _rollout(session: Session, start: Start, now: datetime) -> Rollout:
    requester = _known(session, start.requester, "requester")
    owner = _known(session, start.owner, "owner") if start.owner.strip() else requester
    return Rollout(
        id="".join(secrets.choice(_ALPHABET) for _ in range(8)),
        plan_version=version_of(session, start.plan, start.source, now),
        title=typed_text.clean_line(start.title, 200) or start.plan.title.in_language(start.language),
        state=RolloutState.WAITING,
        requester=requester,
        owner=owner,
        language=start.language,
        start_on=start.start_on,
        people=_people(start.plan, start.people),
        inputs=_inputs(start.plan, start),
        flow_run_id=start.flow_run_id,
        sequence=0,
        painted=0,
        head_hash="",
        created_at=now,
    )


def _known(session: Session, address: str, what: str) -> str:
    email = normalise_address(address)
    person = session.get(Person, email)
    if person is None or person.gone_at is not None:
        raise UnknownPerson(f"The {what} “{email}” is not in the directory; import them with `etappe people import`.")
    return email


def _people(plan: Plan, given: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    roles = plan.roles.keys()
    if ADMINISTRATOR in given:
        raise InvalidInput("Who is administrator is said in the directory file, not when a rollout is started.")
    for role in given:
        if role in BUILT_IN_ROLES or role not in roles:
            raise InvalidInput(f"“{role}” is not a role of the plan “{plan.name}”{suggestion(role, roles)}")
    return {role: _each_once(map(normalise_address, addresses)) for role, addresses in given.items() if addresses}


def _each_once(addresses: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(addresses))


def _inputs(plan: Plan, start: Start) -> dict[str, Any]:
    values = inputs.read(plan.inputs, start.inputs)
    budgets = [name for name, asked in plan.inputs.items() if asked.kind is InputKind.BUDGET]
    if start.budget and not budgets:
        raise InvalidInput(f"The plan “{plan.name}” asks for no budget; start it without budget lines.")
    if not start.budget and any(plan.inputs[name].required for name in budgets):
        raise InvalidInput(
            f"The plan “{plan.name}” needs a budget to start: give at least one line with item and amount."
        )
    return {**values, **{name: [line.model_dump(mode="json") for line in start.budget] for name in budgets}}


def _lay_out(ws: Workspace) -> None:
    rows = [
        StageRow(rollout_id=ws.rollout.id, key=stage.id, position=position, round=1, current=True)
        for position, stage in enumerate(ws.plan.stages)
    ]
    ws.session.add_all(rows)
    ws.session.flush()
    for stage, row in zip(ws.plan.stages, rows, strict=True):
        for order, gate in enumerate(stage.gates):
            ws.session.add(GateRow(rollout_id=ws.rollout.id, stage_id=row.id, key=gate.id, kind=gate.kind,
                                   position=order, round=1, current=True))  # fmt: skip
    ws.session.flush()


def _tell_the_owner(ws: Workspace) -> None:
    facts: dict[str, str | int] = {
        "plan": ws.plan.title.in_language(ws.rollout.language),
        "rollout": ws.rollout.id,
        "count": len(ws.plan.stages),
    }
    inform(
        ws,
        [ws.rollout.requester, ws.rollout.owner],
        Reason("The rollout has started"),
        [Reason("It follows the plan “{plan}” with {count} stages. You hear what each gate comes to.", facts)],
        [Reason("To see where it stands: etappe rollout show {rollout}", facts)],
    )
