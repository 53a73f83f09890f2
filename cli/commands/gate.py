"""`etappe gate`: what somebody may do at one gate of a rollout beside deciding it by a link."""

from __future__ import annotations

from typing import Any

import click

from cli.opening import actor, opened
from cli.printing import json_option, now_utc, print_json
from operations.describe_rollout import describe_rollout
from operations.waive_gate import waive_gate
from settings import Settings


@click.group()
def gate() -> None:
    """Look after one gate of a rollout."""


@gate.command()
@click.argument("rollout")
@click.argument("gate_id", metavar="GATE")
@click.option("--reason", required=True, help="Why it goes on without; everybody passed over is told.")
@click.option("--by", required=True, metavar="EMAIL", help="Who waives it: one of those whom the plan names.")
@json_option
def waive(rollout: str, gate_id: str, reason: str, by: str, as_json: bool) -> None:
    """Let a GATE of a ROLLOUT pass without its quorum, and for a measurement, whatever its values say."""
    settings = Settings.from_environment()
    with opened(settings) as db:
        waive_gate(db, settings.secret_keys, rollout, gate_id, reason, actor(db, by), now_utc())
        facts = describe_rollout(db, rollout, now_utc())
    if as_json:
        print_json(_gate(facts, gate_id))
    else:
        click.echo(f"The gate {gate_id} is waived; whoever is passed over is told. The rollout is {facts['state']}.")


def _gate(facts: dict[str, Any], gate_id: str) -> dict[str, Any]:
    """Return one gate of what describe_rollout found."""
    gates: list[dict[str, Any]] = [each for stage in facts["stages"] for each in stage["gates"]]
    return next(each for each in gates if each["id"] == gate_id)
