"""Prefect's page of a rollout: a bar for every stage and gate, a table of gates, and the state in one sentence.

Level-triggered: it looks at what should be shown and at what was painted, and paints the difference.
"""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID, uuid5

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import State
from prefect.states import Cancelled, Completed, Failed, Paused, Running

from domain.states import DecisionKind, GateState, RolloutState, StageState
from models.prefect_page import Bar
from notifications.facts import Said
from notifications.language import Words
from operations.chart import BarFacts, Chart, GateLine
from worker import artifacts, run_links
from worker.bars import DrawnBar

TABLE = "table"
LONGEST_NAME = 200
LONGEST_QUOTE = 300
_IN_ASCII = str.maketrans({"ß": "ss", "–": "-", "—": "-", "…": "...", "’": "'", **dict.fromkeys("“”„«»", '"')})
SETTLED_BY_FACTS = ("window", "check", "run")
"""The kinds of gates at which nobody is ever asked."""
MOST_PEOPLE = 10
"""How many are named in one sentence; an acknowledgement may wait for a whole company."""


def bars_to_draw(chart: Chart) -> list[DrawnBar]:
    """Return the bars that do not look as they were painted.

    What has just been decided comes first: somebody may be looking at its bar.
    """
    words = Words(chart.language, chart.time_zone)
    painted = [(facts, chart.painted.get((facts.subject, facts.subject_id))) for facts in chart.bars]
    changed = [(facts, bar) for facts, bar in painted if bar is None or not _looks_like(bar, facts, words)]
    return [_draw(chart, facts, bar, words) for facts, bar in sorted(changed, key=lambda pair: pair[1] is None)]


def bars_as_drawn(chart: Chart) -> list[Bar]:
    """Return all bars as they are painted once Prefect shows those of `bars_to_draw`."""
    words = Words(chart.language, chart.time_zone)
    return [
        Bar(flow_run_id=chart.flow_run_id, subject=facts.subject, subject_id=facts.subject_id,
            rollout_id=chart.rollout_id, task_run_id=str(_task_run_id(chart, facts)), name=_name(facts, words),
            state=facts.state)
        for facts in chart.bars
    ]  # fmt: skip


def paint_around(client: SyncPrefectClient, chart: Chart) -> list[Bar]:
    """Bring the table and the links at bars up to date; return all as they are now painted."""
    words = Words(chart.language, chart.time_zone)
    links = [
        run_links.paint(client, chart, facts, facts.run, str(_task_run_id(chart, facts)), words)
        for facts in chart.bars
        if facts.run
    ]
    return [*links, _paint_table(client, chart, words)]


def summary(chart: Chart) -> tuple[str, str]:
    """Return the name and the message of the flow run's state while it is suspended."""
    words = Words(chart.language, chart.time_zone)
    if chart.held_at:
        gates = "; ".join(_why(line, words) for line in chart.held_at)
        return "On hold", words.text("On hold at: {gates}", gates=gates)
    queued = [words.say(reason) for reason in chart.queued]
    if chart.waiting_for:
        back = [words.text("Gone back to: {stages}.", stages=_listed(chart.back_at))] if chart.back_at else []
        people = words.text("Waiting for: {people}", people=_people(chart.waiting_for))
        return "Suspended", " ".join([*back, *queued, people])
    if queued:
        return "Suspended", " ".join(queued)
    if chart.state is RolloutState.WAITING:
        return "Suspended", words.text("Waiting for its start date")
    waits = [f"{line.gate}: {words.say(reason)}" for line in chart.gates for reason in line.waits]
    return "Suspended", " ".join([*chart.problems, *waits])


def _why(line: GateLine, words: Words) -> str:
    """What a gate came to, and what those who refused it wrote."""
    refused = [word for word in line.said if word.comment and word.decision is DecisionKind.REJECT]
    written = [f"{words.who(word.name, word.on_behalf_of)}: “{word.comment[:LONGEST_QUOTE]}”" for word in refused]
    because = [words.say(line.because)] if line.because else []
    return f"{line.gate} ({'; '.join([*because, *written])})"


def _looks_like(painted: Bar, facts: BarFacts, words: Words) -> bool:
    return (painted.name, painted.state) == (_name(facts, words), facts.state)


def _name(facts: BarFacts, words: Words) -> str:
    """What a bar is called, as far as possible in letters that the timeline has: those of ASCII, and no others.

    It leaves out what it does not have (https://github.com/PrefectHQ/prefect/issues/21344). Taken apart, an ü is a u
    there, and an ü wherever a browser puts it together again.
    """
    return unicodedata.normalize("NFD", words.say(facts.title).translate(_IN_ASCII))[:LONGEST_NAME]


def _draw(chart: Chart, facts: BarFacts, painted: Bar | None, words: Words) -> DrawnBar:
    is_as_it_began = painted is None and facts.state != StageState.HELD
    return DrawnBar(
        task_run_id=_task_run_id(chart, facts),
        flow_run_id=chart.flow_run_id,
        task_key=f"{facts.subject}_bar",
        dynamic_key=f"{chart.rollout_id}-{facts.subject_id}",
        name=_name(facts, words),
        state=_state(facts, words),
        began_at=facts.began_at,
        ended_at=facts.ended_at,
        since=facts.ended_at or (facts.began_at if is_as_it_began else chart.as_of),
    )


def _task_run_id(chart: Chart, facts: BarFacts) -> UUID:
    """The id of a bar's task run, the same whenever it is painted, so that none is there twice."""
    painted = chart.painted.get((facts.subject, facts.subject_id))
    return (
        UUID(painted.task_run_id) if painted else uuid5(UUID(chart.flow_run_id), f"{facts.subject}-{facts.subject_id}")
    )


def _state(facts: BarFacts, words: Words) -> State[Any]:
    because = [words.say(facts.because)] if facts.because else []
    message = "; ".join([*because, *_decided(facts.said, facts.kind, words)]) or None
    match facts.state:
        case StageState.PASSED | GateState.PASSED:
            return Completed(name="Passed", message=message)
        case GateState.WAIVED:
            return Completed(name="Waived", message=message)
        case GateState.REJECTED:
            return Failed(name="Rejected", message=message)
        case GateState.EXPIRED:
            return Failed(name="Expired", message=message)
        case StageState.FAILED:
            return Failed(name="Failed", message=message)
        case StageState.HELD:
            return Paused(name="On hold", message=message)
        case StageState.SKIPPED | GateState.WITHDRAWN:
            return Cancelled(name="Withdrawn", message=message)
    return Running(name="Waiting")


def _paint_table(client: SyncPrefectClient, chart: Chart, words: Words) -> Bar:
    data = json.dumps([_row(line, words) for line in chart.gates], ensure_ascii=False)
    description = f"## {chart.title}\n\n{words.text('Rollout')} `{chart.rollout_id}`: {words.state(chart.state)}"
    content = hashlib.sha256(f"{description}{data}".encode()).hexdigest()[:32]
    painted = chart.painted.get((TABLE, 0))
    artifact_id = painted.task_run_id if painted else ""
    if painted is None or painted.state != content:
        shown = {"data": data, "description": description}
        where = {"key": f"gates-{chart.rollout_id}", "type": "table", "flow_run_id": chart.flow_run_id}
        artifact_id = artifacts.put(client, artifact_id, shown, where)
    return Bar(flow_run_id=chart.flow_run_id, subject=TABLE, subject_id=0, rollout_id=chart.rollout_id,
               task_run_id=artifact_id, name=TABLE, state=content)  # fmt: skip


def _row(line: GateLine, words: Words) -> dict[str, str]:
    return {
        words.text("Stage"): words.text("{stage} (stalled)", stage=line.stage) if line.stalled else line.stage,
        words.text("Gate"): line.gate if line.round == 1 else f"{line.gate} ({line.round})",
        words.text("State"): _state_of(line, words),
        words.text("Waiting for"): line.problem or _waited_for(line, words),
        words.text("By when"): words.day(line.due_at) if line.due_at else "–",
        words.text("Decided"): _listed(_what_was_decided(line, words)),
    }


def _state_of(line: GateLine, words: Words) -> str:
    """Where a gate stands; where nobody is asked, nobody's answer is waited for."""
    if line.state is not GateState.OPEN or line.kind not in SETTLED_BY_FACTS:
        return words.state(line.state)
    return words.state(line.run.state) if line.run else words.text("waiting")


def _waited_for(line: GateLine, words: Words) -> str:
    sentences = [words.say(reason) for reason in line.waits]
    people = [_people(line.waiting_for)] if line.waiting_for else []
    links = _run_link(line, words) if line.state is GateState.OPEN else []
    return " ".join([*sentences, *people, *links]) or "–"


def _run_link(line: GateLine, words: Words) -> list[str]:
    return [run_links.link(line.run, words.text("flow run"))] if line.run else []


def _what_was_decided(line: GateLine, words: Words) -> list[str]:
    decided = _decided(line.said, line.kind, words)
    if line.state is GateState.WAIVED:  # by whom and why, before what the others had said until then
        return [*_came_to(line, words), *decided]
    if line.by_silence:
        return [*decided, *_came_to(line, words)]
    return decided or _came_to(line, words)


def _decided(said: Iterable[Said], kind: str, words: Words) -> list[str]:
    return [
        f"{words.who(word.name, word.on_behalf_of)}: {words.said(word.decision, kind, word.choice)}" for word in said
    ]


def _came_to(line: GateLine, words: Words) -> list[str]:
    return [words.say(line.because), *_run_link(line, words)] if line.because else []


def _people(names: Sequence[str]) -> str:
    more = [f"+ {len(names) - MOST_PEOPLE}"] if len(names) > MOST_PEOPLE else []
    return _listed([*names[:MOST_PEOPLE], *more])


def _listed(items: Iterable[str]) -> str:
    return ", ".join(items) or "–"
