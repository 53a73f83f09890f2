"""`etappe gate`: what somebody may do at one gate of a rollout beside deciding it by a link."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import click

from cli import gate_words
from cli.attaching import is_address, opened_file
from cli.opening import actor, opened
from cli.printing import json_option, now_utc, print_json
from cli.rollout_form import typed_changes
from cli.typed import Pair
from domain.conditions import TypedCondition
from domain.errors import InvalidInput
from operations.add_approver import add_approver
from operations.answer_changes import Answer, answer_changes
from operations.describe_request import describe_request
from operations.describe_rollout import describe_rollout, plan_of_rollout
from operations.escalate_gate import escalate_gate
from operations.reassign import reassign as reassign_at
from operations.record_decision import DecisionForm, record_decision_as
from operations.restart_run import restart_run
from operations.show_gate import show_gate
from operations.waive_gate import waive_gate
from operations.workspace import Actor
from settings import Settings

ASSURANCE = "operator"
"""How sure the record is of who decides by command: whoever has access to the machine says so."""


@click.group()
def gate() -> None:
    """Look after one gate of a rollout."""


def _asked(command: Callable[..., None]) -> Callable[..., None]:
    """Add what says which gate is meant, and who is asked there."""
    command = click.option("--on-behalf-of", default="", metavar="EMAIL", help="Whose voice it is, if not their own.")(
        command
    )
    command = click.option("--by", required=True, metavar="EMAIL", help="Who is asked.")(command)
    command = click.argument("gate_id", metavar="GATE")(command)
    return click.argument("rollout_id", metavar="ROLLOUT")(command)


@gate.command()
@_asked
@json_option
def show(rollout_id: str, gate_id: str, by: str, on_behalf_of: str, as_json: bool) -> None:
    """Show what somebody is asked at GATE of ROLLOUT."""
    with opened(Settings.from_environment()) as db:
        person = actor(db, by)
        facts = describe_request(show_gate(db, rollout_id, gate_id, person.address, now_utc(), on_behalf_of))
    _print(facts, as_json)


@gate.command()
@_asked
@click.option("--decision", required=True, metavar="WORD", help="approve, reject, …: `etappe gate show` lists them.")
@click.option("--comment", default="", help="Why; needed for everything but a plain yes.")
@click.option(
    "--condition",
    "conditions",
    type=(str, str, str),
    multiple=True,
    metavar="WHAT WHO DATE",
    help="With approve-with-conditions: what has to be done, by whom, by when; repeatable.",
)
@click.option("--condition-stage", default="", metavar="STAGE", help="The later stage that holds to the conditions.")
@click.option("--lessons", default="", help="What was learned; where a review asks for it.")
@json_option
def decide(
    rollout_id: str,
    gate_id: str,
    by: str,
    on_behalf_of: str,
    decision: str,
    comment: str,
    conditions: tuple[tuple[str, str, str], ...],
    condition_stage: str,
    lessons: str,
    as_json: bool,
) -> None:
    """Decide GATE of ROLLOUT for somebody who is asked there. What they are asked is printed before it is recorded."""
    settings = Settings.from_environment()
    with opened(settings) as db:
        person = Actor(actor(db, by).address, "command", ASSURANCE)
        shown = show_gate(db, rollout_id, gate_id, person.address, now_utc(), on_behalf_of)
        if not as_json:
            _print(describe_request(shown), as_json)
        promised = [TypedCondition(*condition, condition_stage) for condition in conditions]
        form = DecisionForm(decision, "", shown.digest, comment, promised, lessons)
        with _options_named():
            keys = settings.secret_keys
            page = record_decision_as(db, keys, rollout_id, gate_id, form, person, now_utc(), on_behalf_of)
    if as_json:
        print_json(describe_request(page))
    else:
        click.echo(f"\nRecorded. To see where it stands: etappe rollout show {rollout_id}")


@gate.command()
@click.argument("rollout_id", metavar="ROLLOUT")
@click.argument("gate_id", metavar="GATE")
@click.option("--reply", required=True, help="The answer to those who asked for changes; all who are asked read it.")
@click.option("--set", "inputs", type=Pair("key", "value"), multiple=True, help="An input that changes; repeatable.")
@click.option(
    "--budget",
    type=Pair("item", "amount", last_sign=True),
    multiple=True,
    help="The lines of the budget from now on; repeatable.",
)
@click.option("--attach", "attached", multiple=True, metavar="FILE|URL", help="What is attached; repeatable.")
@click.option("--detach", "removed", multiple=True, metavar="NAME", help="What is taken off; repeatable.")
@click.option("--by", required=True, metavar="EMAIL", help="Who answers: whoever looks after the rollout or the stage.")
def respond(
    rollout_id: str,
    gate_id: str,
    reply: str,
    inputs: tuple[tuple[str, str], ...],
    budget: tuple[tuple[str, str], ...],
    attached: tuple[str, ...],
    removed: tuple[str, ...],
    by: str,
) -> None:
    """Answer a request for changes at GATE of ROLLOUT; its clock goes on, and those who are asked hear of it."""
    settings = Settings.from_environment()
    with opened(settings) as db, ExitStack() as files:
        changes = typed_changes(plan_of_rollout(db, rollout_id), budget, inputs)
        new = [files.enter_context(opened_file(Path(one))) for one in attached if not is_address(one)]
        answer = Answer(reply, changes, removed, new, [one for one in attached if is_address(one)])
        person = Actor(actor(db, by).address, "command", ASSURANCE)
        with _options_named():
            answer_changes(db, settings.secret_keys, rollout_id, gate_id, answer, person, now_utc())
    click.echo(f"Answered; whoever is asked hears of it. To see where it stands: etappe rollout show {rollout_id}")


@contextmanager
def _options_named() -> Iterator[None]:
    """Say beside the refusal which option it is about, and why."""
    try:
        yield
    except InvalidInput as refusal:
        named = [f"{_option_called(name)}: {why}" for name, why in refusal.fields.items()]
        raise InvalidInput(" ".join([refusal.sentence, *named])) from refusal


def _option_called(name: str) -> str:
    """A field of a condition is a part of one of several options of the same name."""
    kind, number, part = (name.split("-") + ["", ""])[:3]
    return f"--condition (number {number}, {part})" if kind == "condition" else f"--{name.replace('_', '-')}"


def _print(facts: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(facts)
    else:
        click.echo("\n".join(gate_words.lines(facts)))


@gate.command()
@click.argument("rollout_id", metavar="ROLLOUT")
@click.argument("gate_id", metavar="GATE")
@click.option("--reason", required=True, help="Why it goes on without; everybody passed over is told.")
@click.option("--by", required=True, metavar="EMAIL", help="Who waives it: one of those whom the plan names.")
@json_option
def waive(rollout_id: str, gate_id: str, reason: str, by: str, as_json: bool) -> None:
    """Let GATE of ROLLOUT pass without its quorum; a measurement, whatever its values say."""
    settings = Settings.from_environment()
    with opened(settings) as db:
        person = Actor(actor(db, by).address, "command", ASSURANCE)
        waive_gate(db, settings.secret_keys, rollout_id, gate_id, reason, person, now_utc())
        facts = describe_rollout(db, rollout_id, now_utc())
    if as_json:
        print_json(next(each for stage in facts["stages"] for each in stage["gates"] if each["id"] == gate_id))
    else:
        click.echo(f"The gate {gate_id} is waived; whoever is passed over is told. The rollout is {facts['state']}.")


@gate.command()
@click.argument("rollout_id", metavar="ROLLOUT")
@click.argument("gate_id", metavar="GATE")
@click.option("--reason", required=True, help="Why; requester and owner are told.")
@click.option("--by", default="", metavar="EMAIL", help="Who gives the command, for the record.")
@json_option
def restart(rollout_id: str, gate_id: str, reason: str, by: str, as_json: bool) -> None:
    """Start the flow run of GATE in ROLLOUT anew; one that is still under way is cancelled in Prefect."""
    settings = Settings.from_environment()
    with opened(settings) as db:
        restart_run(db, settings.secret_keys, rollout_id, gate_id, reason, actor(db, by), now_utc())
        facts = describe_rollout(db, rollout_id, now_utc())
    if as_json:
        print_json(facts)
    else:
        click.echo(
            f"The flow run of {gate_id} is started anew. To see where it stands: etappe rollout show {rollout_id}"
        )


_BY_WHOM = click.option("--by", default="", metavar="EMAIL", help="Who says so, for the record; else the operator.")


@gate.command()
@click.argument("rollout_id", metavar="ROLLOUT")
@click.argument("gate_id", metavar="GATE")
@click.option(
    "--from", "left_by", required=True, metavar="EMAIL", help="Who is asked, or would be, and has not answered."
)
@click.option("--to", required=True, metavar="EMAIL", help="Who is asked instead.")
@click.option("--reason", required=True, help="Why; both are told.")
@_BY_WHOM
def reassign(rollout_id: str, gate_id: str, left_by: str, to: str, reason: str, by: str) -> None:
    """Ask somebody else at GATE of ROLLOUT. Links that were mailed to the one before no longer count."""
    settings = Settings.from_environment()
    with opened(settings) as db:
        keys = settings.secret_keys
        reassign_at(db, keys, rollout_id, gate_id, left_by, to, reason, actor(db, by), now_utc())
    click.echo(f"At the gate {gate_id}, {to} is asked instead of {left_by}; both are told.")


@gate.command("add-approver")
@click.argument("rollout_id", metavar="ROLLOUT")
@click.argument("gate_id", metavar="GATE")
@click.option("--person", required=True, metavar="EMAIL", help="Whose approval is needed as well.")
@click.option("--reason", required=True, help="Why; they are told.")
@_BY_WHOM
def add_approver_(rollout_id: str, gate_id: str, person: str, reason: str, by: str) -> None:
    """Ask one more person at GATE of ROLLOUT, whose approval is needed beside the quorum."""
    settings = Settings.from_environment()
    with opened(settings) as db:
        add_approver(db, settings.secret_keys, rollout_id, gate_id, person, reason, actor(db, by), now_utc())
    click.echo(f"The gate {gate_id} needs the approval of {person} as well; they are asked.")


@gate.command()
@click.argument("rollout_id", metavar="ROLLOUT")
@click.argument("gate_id", metavar="GATE")
@click.option("--reason", required=True, help="Why now; requester and owner are told.")
@_BY_WHOM
def escalate(rollout_id: str, gate_id: str, reason: str, by: str) -> None:
    """Take the next level of escalation at GATE of ROLLOUT now, before its time has come."""
    settings = Settings.from_environment()
    with opened(settings) as db:
        escalate_gate(db, settings.secret_keys, rollout_id, gate_id, reason, actor(db, by), now_utc())
    click.echo(f"The gate {gate_id} is escalated. To see who is asked now: etappe rollout show {rollout_id}")
