"""Why a gate or a stage does not go on: what is missing, who can provide it, what comes next, ways out. Read only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from domain import explanation, stage_graph
from domain.delegation import Term
from domain.explanation import About, Asked, Explanation, LostMail
from domain.plan import Gate, MeasurementGate
from domain.reasons import Reason
from domain.renewal import may_be_asked
from domain.states import GateState, StageState
from domain.waiver import REFUSED
from models.absences import absences_now_of
from models.gates import GateRow
from models.outbox import Message, MessageState, messages_of
from models.requests import Purpose, Request
from models.rollouts import StageRow
from operations import delivery, ways_out
from operations.naming import look_up, name_of, reader_of
from operations.question import asked_now
from operations.queues import Waiting, sentence, waiting_stages
from operations.renewals import blocking_renewals
from operations.resume_rollout import stopping_gates
from operations.voices import tally_of
from operations.waiting import waits_for
from operations.what_follows import what_comes
from operations.workspace import Workspace

NOTHING_COMES = Reason("Nothing comes by itself here; it waits until somebody answers.")


@dataclass
class Explainer:
    """Explains one rollout to readers of one language; what is the same for all of it is read once."""

    ws: Workspace
    language: str

    @cached_property
    def messages(self) -> Sequence[Message]:
        """Every message about the rollout."""
        return self.ws.session.scalars(messages_of(self.ws.rollout.id)).all()

    @cached_property
    def _unaware(self) -> dict[str, Message]:
        return delivery.unaware(self.messages, self.ws.now)

    @cached_property
    def _queued(self) -> dict[int, Waiting]:
        return waiting_stages(self.ws.session, self.ws.rollout.id)

    def gate(self, gate: GateRow) -> Explanation | None:
        """Explain one gate; None when it is over, or its turn has not come."""
        if gate.state in REFUSED:
            return self._refused(gate)
        if not self._is_waited_for(gate):
            return None
        requests = self._asked_now(gate)
        people = self._people(requests)
        trouble = {one.email for one in people if one.lost or (one.away_until and not one.delegate)}
        stage = self.ws.stage_of(gate)
        return Explanation(
            About.GATE,
            gate.key,
            self.gate_title(gate),
            self._missing(gate),
            stage=stage.key,
            since=gate.paused_at or gate.opened_at or stage.opened_at,
            due_at=gate.due_at,
            people=people,
            next=self._next(gate, people),
            ways_out=ways_out.at_gate(self.ws, gate, sorted(requests, key=lambda row: row.person not in trouble)),
        )

    def stage(self, stage: StageRow) -> Explanation | None:
        """Explain one stage beside its gates; None when there is nothing to say of it."""
        if stage.state is StageState.OPEN:
            return self._stalled(stage)
        if stage.state is StageState.HELD:
            return self._stopped(stage)
        return self._waiting(stage) if stage.state is StageState.WAITING else None

    def gate_title(self, gate: GateRow) -> str:
        """What a gate is called, in the reader's language."""
        return self.ws.planned_gate(gate).title.in_language(self.language)

    def stage_title(self, stage: StageRow) -> str:
        """What a stage is called, in the reader's language."""
        return self.ws.planned_stage(stage).title.in_language(self.language)

    def name(self, address: str) -> str:
        """What somebody is called."""
        return name_of(self.ws, address)

    def _is_waited_for(self, gate: GateRow) -> bool:
        if gate.state is not GateState.WAITING:
            return gate.state is GateState.OPEN
        its_turn = may_be_asked(self.ws.stage_of(gate).state, renewal=gate.renewal)
        return gate.problem is not None or (its_turn and bool(waits_for(self.ws, gate)))

    def _missing(self, gate: GateRow) -> tuple[Reason, ...]:
        if gate.problem:
            return (Reason("Nobody can be asked: {problem}", {"problem": gate.problem}),)
        waits = waits_for(self.ws, gate)
        if gate.state is not GateState.OPEN or gate.paused_at:
            return waits
        missing = (*self._from_people(gate, self.ws.planned_gate(gate)), *waits, *_renewal(gate))
        return missing or (Reason("Nobody is asked here now."),)

    def _from_people(self, gate: GateRow, planned: Gate) -> tuple[Reason, ...]:
        condition = self.ws.condition_of(gate)
        if any(row.purpose is Purpose.ANSWER for row in asked_now(self.ws, gate)):
            if condition:
                return (Reason("What was promised is not done yet: {what}", {"what": condition.what}),)
            return (Reason("The list is not filled in yet."),)
        if isinstance(planned, MeasurementGate):
            return (Reason("A value of “{metric}” is missing.", {"metric": planned.metric}),)
        if not gate.requirements:
            return ()
        tally = tally_of(self.ws, gate)
        binding = getattr(planned, "binding", True)
        missing = tally.needed - tally.counted
        return (explanation.voices_missing(planned.kind, missing, tally.needed, binding=binding),)

    def _asked_now(self, gate: GateRow) -> list[Request]:
        """While the clock stands still, whoever was asked for changes is waited for, and nobody else."""
        rows = asked_now(self.ws, gate)
        return [row for row in rows if (row.purpose is Purpose.RESPOND) == (gate.paused_at is not None)]

    def _people(self, requests: Sequence[Request]) -> tuple[Asked, ...]:
        last_days = self._last_days({person for row in requests for person in (row.person, row.voice)})
        in_place = {row.on_behalf_of: self.name(row.person) for row in requests if row.on_behalf_of}
        return tuple(
            Asked(
                row.person,
                self.name(row.person),
                self.name(row.on_behalf_of) if row.on_behalf_of else "",
                last_days.get(row.person),
                in_place.get(row.person, ""),
                self._lost(row),
            )
            for row in requests
        )

    def _last_days(self, people: set[str]) -> dict[str, date]:
        """The last day of the absence of each of these people who is away, where that person lives."""
        look_up(self.ws, people)
        last_days: dict[str, date] = {}
        for absence in self.ws.session.scalars(
            absences_now_of(people, self.ws.now)
        ):  # the one that lasts longest first
            lives_in = reader_of(self.ws, absence.person).time_zone
            last_days.setdefault(absence.person, Term(absence.starts_at, absence.ends_at).last_day(lives_in))
        return last_days

    def _lost(self, request: Request) -> LostMail | None:
        message = self._unaware.get(request.id)
        if message is None:
            return None
        refused = message.state is MessageState.DEAD
        return LostMail(refused, delivery.waits_since(message), message.last_error or "")

    def _next(self, gate: GateRow, people: Sequence[Asked]) -> tuple[Reason, ...]:
        if gate.state is not GateState.OPEN:
            repair = Reason("Put the people into the directory file and import it again; the rollout then goes on by "
                            "itself.")  # fmt: skip
            return (repair,) if gate.problem else ()
        coming = what_comes(self.ws, gate, self.name, self.language)
        return coming or ((NOTHING_COMES,) if people else ())

    def _refused(self, gate: GateRow) -> Explanation | None:
        """What did not pass and holds its stage, or will as soon as that opens."""
        stage = self.ws.stage_of(gate)
        if stage.state not in (StageState.HELD, StageState.WAITING):
            return None
        because = (Reason.from_json(gate.settled_because),) if gate.settled_because else ()
        return Explanation(
            About.GATE,
            gate.key,
            self.gate_title(gate),
            (Reason("It did not pass; somebody has to decide how to go on."), *because),
            stage=stage.key,
            since=gate.settled_at,
            ways_out=ways_out.at_gate(self.ws, gate, ()),
        )

    def _stalled(self, stage: StageRow) -> Explanation | None:
        if stage.stalled_since is None:
            return None
        stalled = Reason("It takes longer than the plan allows, and counts as stalled since {moment}.",
                         {"moment": stage.stalled_since})  # fmt: skip
        return self._of_stage(stage, (stalled,))

    def _stopped(self, stage: StageRow) -> Explanation:
        facts = {"gates": ", ".join(self.gate_title(gate) for gate in stopping_gates(self.ws, stage))}
        missing = Reason("On hold, because this did not pass: {gates}.", facts)
        if stage.state is StageState.WAITING:
            missing = Reason("It is put on hold as soon as it opens, because this did not pass: {gates}.", facts)
        owners = dict.fromkeys([self.ws.rollout.owner, *self.ws.directory.resolve(self.ws.planned_stage(stage).owner)])
        last_days = self._last_days(set(owners))
        people = tuple(Asked(person, self.name(person), away_until=last_days.get(person)) for person in owners)
        return self._of_stage(stage, (missing,), people, ways_out.off_hold(self.ws))

    def _waiting(self, stage: StageRow) -> Explanation | None:
        if waits := self._queued.get(stage.id):
            ways = ways_out.behind(waits.behind.id) if waits.behind else ()
            return self._of_stage(stage, (sentence(self.stage_title(stage), waits),), ways_out=ways)
        if stopping_gates(self.ws, stage):
            return self._stopped(stage)
        if (blocking := blocking_renewals(self.ws)) and self._could_open(stage):
            gates = ", ".join(map(self.gate_title, blocking))
            return self._of_stage(
                stage, (Reason("It does not open before this is renewed: {gates}.", {"gates": gates}),)
            )
        return None

    def _could_open(self, stage: StageRow) -> bool:
        passed = {other.key for other in self.ws.stages() if other.state is StageState.PASSED}
        return stage.key in stage_graph.may_open(self.ws.plan.needs(), passed)

    def _of_stage(
        self,
        stage: StageRow,
        missing: tuple[Reason, ...],
        people: tuple[Asked, ...] = (),
        ways_out: tuple[Reason, ...] = (),
    ) -> Explanation:
        title = self.stage_title(stage)
        return Explanation(
            About.STAGE, stage.key, title, missing, stage.key, stage.opened_at, people=people, ways_out=ways_out
        )


def _renewal(gate: GateRow) -> tuple[Reason, ...]:
    if not gate.renewal:
        return ()
    holds_on = Reason("It asks again what has passed; that holds on meanwhile.")
    if gate.overdue_at is None:
        return (holds_on,)
    return holds_on, Reason("The renewal is overdue since {moment}.", {"moment": gate.overdue_at})
