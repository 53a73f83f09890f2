"""Reading a plan file: everything that is wrong with it at once, each with its place and what to write instead."""

from __future__ import annotations

from pydantic import ValidationError

from domain import plan_check
from domain.errors import InvalidPlan
from domain.plan import Plan
from plans import repair, sentences, yaml_source


def read_plan(text: str | bytes, source: str) -> Plan:
    """Read a plan. `source` names the file in the errors. Raises InvalidPlan with every problem, sorted by line."""
    document = yaml_source.read(text)
    plan = _shaped(document) if document.complete else None
    for path, sentence in plan_check.check(plan) if plan else ():
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


def _validated(data: object) -> Plan:
    return Plan.model_validate(data, by_alias=True, by_name=False)
