"""`etappe plan`: check, list and show plans. None of it needs a database."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from cli.printing import json_option, plural, print_json, print_table
from domain import inputs
from domain.durations import Deadline, WeekMoment
from domain.errors import InvalidPlan, Problem
from domain.plan import (
    AcknowledgementGate,
    CheckGate,
    ChecklistGate,
    FromInput,
    Gate,
    MeasurementGate,
    Plan,
    Recycle,
    RunGate,
    WindowGate,
)
from plans.catalogue import BrokenPlan, Catalogue, LoadedPlan
from plans.reading import read_plan
from plans.schema import plan_schema
from settings import Settings


@click.group()
def plan() -> None:
    """Check, list and show plans."""


@plan.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@json_option
def check(file: Path, as_json: bool) -> int:
    """Say whether FILE is a plan that can be used, or everything that is wrong with it, line by line."""
    try:
        read = read_plan(file.read_bytes(), str(file))
    except InvalidPlan as refusal:
        if not as_json:
            raise
        print_json({"file": str(file), "plan": None, "valid": False, "problems": _problems(refusal.problems)})
        return 1
    if as_json:
        print_json({"file": str(file), "plan": read.name, "valid": True, "problems": []})
    else:
        click.echo(f"{file}: the plan “{read.name}” is fine: {_size(read)}.")
    if read.name != file.stem:
        click.echo(f"To be found by its name, the file must be called {read.name}.yaml.", err=True)
    return 0


@plan.command("list")
@json_option
def list_(as_json: bool) -> None:
    """List the plans that can be used, and those that cannot."""
    catalogue = Catalogue(Settings.from_environment().plan_folders)
    usable, broken = catalogue.all(), catalogue.broken()
    if as_json:
        print_json([*map(_usable_facts, usable), *map(_broken_facts, broken)])
        return
    rows = [[one.plan.name, one.plan.title.in_language("en"), _size(one.plan), str(one.path)] for one in usable]
    print_table(["PLAN", "TITLE", "SIZE", "FILE"], rows)
    for one in broken:
        more = f" (and {plural(len(one.problems) - 1, 'more problem')})" if len(one.problems) > 1 else ""
        click.echo(f"Cannot be used: {one.name}: {one.paths[0]}, {one.problems[0]}{more}")


@plan.command()
@click.argument("name")
@json_option
def show(name: str, as_json: bool) -> None:
    """Show what the plan NAME comes to: its stages, its gates, who is asked, and what follows."""
    found = Catalogue(Settings.from_environment().plan_folders).load(name)
    if as_json:
        print_json(found.plan.model_dump(mode="json", by_alias=True, exclude_none=True))
        return
    click.echo(f"{found.plan.title.in_language('en')}  ({found.plan.name}, {_size(found.plan)})\n{found.path}")
    if found.plan.inputs:
        click.echo(f"Asks for: {', '.join(_input(found.plan, each) for each in found.plan.inputs)}")
    needs = found.plan.needs()
    for stage in found.plan.stages:
        after = f", after {', '.join(needs[stage.id])}" if needs[stage.id] else ""
        alone = f", uses {stage.exclusive} alone" if stage.exclusive else ""
        click.echo(f"\n{stage.title.in_language('en')}  ({stage.id}{after}{alone})")
        for gate in stage.gates:
            click.echo(f"  {gate.title.in_language('en')}  ({gate.id}, {gate.kind})")
            for line in _gate_lines(gate):
                click.echo(f"      {line}")


@plan.command()
def schema() -> None:
    """Print the JSON Schema of plan files, for your editor."""
    print_json(plan_schema())


def _size(read: Plan) -> str:
    gates = sum(len(stage.gates) for stage in read.stages)
    return f"{plural(len(read.stages), 'stage')}, {plural(gates, 'gate')}"


def _input(read: Plan, name: str) -> str:
    return inputs.in_words(name, read.inputs[name])


def _gate_lines(gate: Gate) -> list[str]:
    lines = [_who(gate)]
    if gate.ask_after:
        lines.append(f"asked after {', '.join(gate.ask_after)}")
    if gate.remind:
        lines.append(f"reminded {gate.remind}")
    for escalation in gate.escalate:
        how = "instead" if escalation.replace else "as well"
        anew = ", and the clock begins anew" if escalation.restart_clock else ""
        lines.append(f"{_when(escalation.after)} {escalation.to} {how}{anew}")
    if gate.expires:
        outcome = gate.expires.outcome
        follows = f"back to {outcome.recycle}" if isinstance(outcome, Recycle) else outcome
        lines.append(f"time is up {_when(gate.expires.after)}: {follows}")
    consequence = gate.on_reject
    lines.append(f"on a no: {f'back to {consequence.recycle}' if isinstance(consequence, Recycle) else consequence}")
    return lines


def _when(deadline: Deadline) -> str:
    return f"on {deadline}" if isinstance(deadline, WeekMoment) else f"after {deadline}"


def _who(gate: Gate) -> str:
    if isinstance(gate, MeasurementGate):
        return _measured(gate)
    if isinstance(gate, WindowGate):
        return _window(gate)
    if isinstance(gate, CheckGate):
        return f"{gate.signed_with} says pass or fail" if gate.signed_with else f"asks {gate.asks}, {gate.every}"
    if isinstance(gate, RunGate):
        return f"starts {gate.deployment} in Prefect, and passes when that completes"
    if isinstance(gate, AcknowledgementGate):
        return f"confirmed by {gate.share} of {', '.join(gate.audience)}"
    if isinstance(gate, ChecklistGate) and not gate.approvers:
        return f"filled in by {gate.filled_by}"
    quorum = gate.quorum if isinstance(gate.quorum, str | int) else f"{gate.quorum.each} of each"
    filled = f"filled in by {gate.filled_by}; " if isinstance(gate, ChecklistGate) else ""
    return f"{filled}decided by {', '.join(gate.approvers)}; quorum: {quorum}"


def _measured(gate: MeasurementGate) -> str:
    side, target = ("at least", gate.at_least) if gate.at_least is not None else ("at most", gate.at_most)
    number = target.input if isinstance(target, FromInput) else str(target)
    time = f" for {gate.holds_for}" if gate.holds_for else ""
    by = f"asked of the database {gate.queried.database}, {gate.queried.every}" if gate.queried else (
        f"measured by {gate.measured_by}")  # fmt: skip
    return f"{gate.metric}: {side} {number}{time}, {by}"


def _window(gate: WindowGate) -> str:
    rules = [
        *(f"from {days.first} to {days.last}" for days in gate.dates),
        ", ".join(gate.weekdays),
        gate.hours or "",
        "business days" if gate.business_days else "",
        *(f"not from {days.first} to {days.last}" for days in gate.freezes),
    ]
    return f"open {'; '.join(rule for rule in rules if rule)}"


def _problems(problems: list[Problem] | tuple[Problem, ...]) -> list[dict[str, Any]]:
    return [vars(problem) for problem in problems]


def _usable_facts(one: LoadedPlan) -> dict[str, Any]:
    return {
        "plan": one.plan.name,
        "title": one.plan.title.model_dump(exclude_none=True),
        "stages": len(one.plan.stages),
        "gates": sum(len(stage.gates) for stage in one.plan.stages),
        "file": str(one.path),
        "usable": True,
        "problems": [],
    }


def _broken_facts(one: BrokenPlan) -> dict[str, Any]:
    return {"plan": one.name, "file": str(one.paths[0]), "usable": False, "problems": _problems(one.problems)}
