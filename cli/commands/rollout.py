"""`etappe rollout`: start, list, show, explain, change, migrate, cancel and resume rollouts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import click

from cli import explanation_text, rollout_tree
from cli.commands.migration import migrate
from cli.opening import actor, opened
from cli.printing import json_option, moment, now_utc, print_json, print_table
from cli.rollout_form import RolloutForm, typed_changes
from cli.typed import Pair
from domain.links import rollout_page
from operations.cancel_rollout import cancel_rollout
from operations.change_inputs import change_inputs
from operations.describe_rollout import describe_rollout, list_rollouts, plan_of_rollout
from operations.explain_rollout import describe_explanation, explain_rollout
from operations.resume_rollout import resume_rollout
from operations.start_rollout import start_rollout
from plans.catalogue import Catalogue
from settings import Settings

_BY = click.option("--by", default="", metavar="EMAIL", help="Who gives the command, for the record.")


@click.group()
def rollout() -> None:
    """Start, list, show, explain, change, migrate, cancel and resume rollouts."""


rollout.add_command(migrate)


@rollout.command()
@click.argument("plan")
@click.option("--title", default="", help="What the rollout is called; the plan's title when it is left out.")
@click.option("--requester", required=True, metavar="EMAIL", help="Who starts it.")
@click.option("--owner", default="", metavar="EMAIL", help="Who looks after it; the requester when it is left out.")
@click.option("--language", type=click.Choice(["de", "en"]), default="en", show_default=True, help="Its language.")
@click.option("--start-on", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", help="The day on which it begins.")
@click.option(
    "--budget", type=Pair("item", "amount", last_sign=True), multiple=True, help="A line of the budget; repeatable."
)
@click.option(
    "--people", type=Pair("role", "address,address"), multiple=True, help="Who holds a role here; repeatable."
)
@click.option(
    "--set", "inputs", type=Pair("key", "value"), multiple=True, help="What else the plan asks for; repeatable."
)
@json_option
def start(
    plan: str,
    title: str,
    requester: str,
    owner: str,
    language: str,
    start_on: datetime | None,
    budget: tuple[tuple[str, str], ...],
    people: tuple[tuple[str, str], ...],
    inputs: tuple[tuple[str, str], ...],
    as_json: bool,
) -> None:
    """Start a rollout of PLAN."""
    settings = Settings.from_environment()
    loaded = Catalogue(settings.plan_folders).load(plan)
    day = start_on.date() if start_on else None
    form = RolloutForm(loaded, title, requester, owner, language, day, budget, people, inputs)
    with opened(settings) as db:
        now = now_utc()
        rollout_id = start_rollout(db, settings.secret_keys, form.to_start(), now)
        facts = describe_rollout(db, rollout_id, now)
    if as_json:
        print_json(facts)
    else:
        click.echo(
            f"Started “{facts['title']}” as {rollout_id}. To see where it stands: etappe rollout show {rollout_id}"
        )


@rollout.command("list")
@click.option("--limit", type=click.IntRange(min=1), help="The newest so many; all of them when it is left out.")
@json_option
def list_(limit: int | None, as_json: bool) -> None:
    """List rollouts, newest first."""
    with opened(Settings.from_environment()) as db:
        found = list_rollouts(db, limit=limit)
    if as_json:
        print_json(found)
    elif found:
        names = ("id", "state", "plan", "title", "requester")
        print_table(
            [*(name.upper() for name in names), "STARTED"],
            [[*(_cell(one, name) for name in names), moment(one["created_at"])] for one in found],
        )
    else:
        click.echo("There is no rollout yet; start one in the Prefect UI, or with `etappe rollout start`.")


def _cell(facts: Mapping[str, Any], name: str) -> str:
    return f"{facts[name]}, stalled" if name == "state" and facts["stalled"] else str(facts[name])


@rollout.command()
@click.argument("rollout_id", metavar="ID")
@json_option
def show(rollout_id: str, as_json: bool) -> None:
    """Show where a rollout stands: its stages and gates, who is waited for, and what was decided."""
    settings = Settings.from_environment()
    with opened(settings) as db:
        facts = describe_rollout(db, rollout_id, now_utc())
        titles = rollout_tree.titles(db, rollout_id)
    page = rollout_page(settings.base_url, settings.secret_keys[0], rollout_id)
    if as_json:
        print_json({**facts, "page": page})
    else:
        click.echo("\n".join([*rollout_tree.lines(facts, titles), "", f"page: {page}"]))


@rollout.command()
@click.argument("rollout_id", metavar="ID")
@json_option
def explain(rollout_id: str, as_json: bool) -> None:
    """Say why a rollout does not go on: what is missing, from whom, what comes next, and what one could do."""
    with opened(Settings.from_environment()) as db:
        shown = explain_rollout(db, rollout_id, now_utc())
    if as_json:
        print_json(describe_explanation(shown))
    else:
        click.echo("\n".join(explanation_text.lines(shown)))


@rollout.command()
@click.argument("rollout_id", metavar="ID")
@click.option(
    "--budget", type=Pair("item", "amount", last_sign=True), multiple=True, help="A line of the new budget; repeatable."
)
@click.option("--set", "inputs", type=Pair("key", "value"), multiple=True, help="What else is to change; repeatable.")
@click.option("--reason", required=True, help="Why; those whose approval lapses are told what has changed.")
@_BY
def change(
    rollout_id: str, budget: tuple[tuple[str, str], ...], inputs: tuple[tuple[str, str], ...], reason: str, by: str
) -> None:
    """Change what a rollout is about. Approvals that were given for something else lapse."""
    settings = Settings.from_environment()
    with opened(settings) as db:
        changes = typed_changes(plan_of_rollout(db, rollout_id), budget, inputs)
        actor_ = actor(db, by)
        changed = change_inputs(db, settings.secret_keys, rollout_id, changes, reason, actor_, now_utc())
    for each in changed:
        click.echo(f"Changed: {each}.")


@rollout.command()
@click.argument("rollout_id", metavar="ID")
@click.option("--reason", required=True, help="Why; everybody who was asked is told.")
@_BY
def cancel(rollout_id: str, reason: str, by: str) -> None:
    """Call a rollout off. Links that were mailed no longer count."""
    settings = Settings.from_environment()
    with opened(settings) as db:
        cancel_rollout(db, settings.secret_keys, rollout_id, reason, actor(db, by), now_utc())
    click.echo(f"The rollout {rollout_id} is called off; whoever was asked is told.")


@rollout.command()
@click.argument("rollout_id", metavar="ID")
@click.option("--reason", required=True, help="What has changed; requester and owner are told.")
@_BY
def resume(rollout_id: str, reason: str, by: str) -> None:
    """Take a rollout off hold. The gates that stopped it are asked again."""
    settings = Settings.from_environment()
    with opened(settings) as db:
        resume_rollout(db, settings.secret_keys, rollout_id, reason, actor(db, by), now_utc())
    click.echo(f"The rollout {rollout_id} goes on; the gates that stopped it are asked again.")
