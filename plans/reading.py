"""Reading a plan file: everything that is wrong with it at once, each with its place and what to write instead."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import ValidationError

from domain import plan_check
from domain.errors import InvalidPlan
from domain.plan import Gate, Plan
from domain.shared_times import SHARED
from plans import repair, sentences, yaml_source


def read_plan(text: str | bytes, source: str) -> Plan:
    """Read a plan. `source` names the file in the errors. Raises InvalidPlan with every problem, sorted by line."""
    document = yaml_source.read(text)
    plan = _shaped(document) if document.complete else None
    for path, sentence in _found(document, plan) if plan else ():
        document.report(path, sentence)
    if plan is None or document.found:
        raise InvalidPlan(source, document.problems)
    return plan


def _shaped(document: yaml_source.Document) -> Plan | None:
    """Return the plan; where its shape is wrong, report that and return what is left to be checked further, if any."""
    try:
        return _validated(document.data)
    except ValidationError as error:
        sentences.report(document, error, Plan)
        broken = [(detail["type"], sentences.path_of(detail)) for detail in error.errors(include_url=False)]
    try:
        return _validated(repair.without(document.data, broken))
    except ValidationError:
        return None


def _found(document: yaml_source.Document, plan: Plan) -> Iterator[tuple[yaml_source.Path, str]]:
    """Return what the plan check finds, where it is written: what is wrong with a time that a gate was handed down is
    said once, at the stage or the plan that hands it down, with the first gate that it does not suit.
    """
    said: set[tuple[yaml_source.Path, str]] = set()
    for path, sentence in plan_check.check(plan):
        place = _where_written(document, path)
        if place != path and (place, sentence) not in said:
            yield place, f"it does not suit “{_gate_at(plan, path).id}”: {sentence}"
        elif place == path:
            yield path, sentence
        said.add((place, sentence))


def _gate_at(plan: Plan, path: yaml_source.Path) -> Gate:
    _, stage, _, gate, *_ = path
    return plan.stages[int(stage)].gates[int(gate)]


def _where_written(document: yaml_source.Document, path: yaml_source.Path) -> yaml_source.Path:
    if len(path) < 5 or path[2] != "gates" or path[4] not in SHARED or path[:5] in document.keys:
        return path
    places = [(*around, *path[4:]) for around in (path[:2], ()) if (*around, path[4]) in document.keys]
    return places[0] if places else path


def _validated(data: object) -> Plan:
    return Plan.model_validate(data, by_alias=True, by_name=False)
