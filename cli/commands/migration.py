"""`etappe rollout migrate`: what a newer version of its plan would mean for a rollout, and going over to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from cli.opening import actor, opened
from cli.printing import json_option, now_utc, plural, print_json
from domain.plan import Plan
from operations.describe_rollout import plan_of_rollout
from operations.migrate_rollout import migrate_rollout, preview_migration
from operations.migration import described
from plans.catalogue import Catalogue
from plans.reading import read_plan
from settings import Settings


@click.command()
@click.argument("rollout_id", metavar="ID")
@click.option(
    "--file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The newer version; the plan's file as it is now when it is left out.",
)
@click.option("--yes", is_flag=True, help="Do it; without this, nothing changes.")
@click.option("--reason", default="", help="Why; needed with --yes. Everybody concerned is told.")
@click.option("--by", default="", metavar="EMAIL", help="Who gives the command, for the record.")
@json_option
def migrate(rollout_id: str, file: Path | None, yes: bool, reason: str, by: str, as_json: bool) -> None:
    """Show what a newer version of its plan would mean for a rollout, and with --yes let the rollout follow it."""
    if yes and not reason.strip():
        raise click.UsageError("--yes needs --reason: say why; everybody concerned is told.")
    settings = Settings.from_environment()
    with opened(settings) as db:
        plan, source = _newer(settings, plan_of_rollout(db, rollout_id).name, file)
        keys, now = settings.secret_keys, now_utc()
        if yes:
            move = migrate_rollout(db, keys, rollout_id, plan, source, reason, actor(db, by), now)
        else:
            move = preview_migration(db, keys, rollout_id, plan, source, now)
        facts = {**described(move), "done": yes and not move.stays_put}
    if as_json:
        print_json(facts)
    else:
        click.echo("\n".join(_lines(facts)))


def _newer(settings: Settings, name: str, file: Path | None) -> tuple[Plan, str]:
    if file is None:
        loaded = Catalogue(settings.plan_folders).load(name)
        return loaded.plan, loaded.source
    content = file.read_bytes()
    return read_plan(content, str(file)), content.decode("utf-8", "replace")


def _lines(facts: Mapping[str, Any]) -> Iterator[str]:
    if facts["from"] == facts["to"]:
        yield f"The rollout {facts['rollout']} follows version {facts['to']} of “{facts['plan']}” already."
        return
    yield f"Plan {facts['plan']}, version {facts['from']} → {facts['to']}"
    for stage in facts["stages"]:
        yield f"{stage['title']}  {_fate(stage, 'opened once more')}"
        for gate in stage["gates"]:
            lapses = f"; {plural(len(gate['lapses']), 'answer')} lapse{_s(gate['lapses'])}" if gate["lapses"] else ""
            yield f"  {gate['title']}  {_fate(gate)}{lapses}"
    if facts["done"]:
        yield f"The rollout {facts['rollout']} follows version {facts['to']} now; everybody concerned is told."
    else:
        yield 'Nothing has changed yet; to do it, add --yes --reason "why".'


def _fate(part: Mapping[str, Any], again: str = "asked again") -> str:
    said = again if part["fate"] == "asked-again" else part["fate"]
    return f"{said}{': ' if part['because'] else ''}{'; '.join(part['because'])}"


def _s(items: list[str]) -> str:
    return "s" if len(items) == 1 else ""
