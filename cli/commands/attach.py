"""`etappe attach`, `attachments`, `detach`: files and links that belong to what a rollout is about."""

from __future__ import annotations

from pathlib import Path

import click

from cli.attaching import is_address, opened_file
from cli.opening import actor, opened
from cli.printing import json_option, moment, now_utc, print_json, print_table
from domain.attachments import size_in_words
from operations.attach import attach_file, attach_link
from operations.detach import detach as take_off
from operations.list_attachments import list_attachments
from settings import Settings

_BY = click.option("--by", default="", metavar="EMAIL", help="Who does it, for the record.")


@click.command()
@click.argument("rollout")
@click.argument("file", metavar="FILE|URL")
@click.option("--name", default="", help="What it is called; the file's own name when it is left out.")
@_BY
def attach(rollout: str, file: str, name: str, by: str) -> None:
    """Attach a FILE of at most 10 MB, or an https URL, to a ROLLOUT. It replaces one of the same name."""
    settings = Settings.from_environment()
    with opened(settings) as db:
        who = actor(db, by)
        if is_address(file):
            called = attach_link(db, settings.secret_keys, rollout, file, who, now_utc(), name=name)
        else:
            with opened_file(Path(file), name) as new:
                called = attach_file(db, settings.secret_keys, rollout, new, who, now_utc())
    click.echo(f"Attached “{called}”. To see everything that is attached: etappe attachments {rollout}")


@click.command()
@click.argument("rollout")
@json_option
def attachments(rollout: str, as_json: bool) -> None:
    """List what is attached to a ROLLOUT."""
    with opened(Settings.from_environment()) as db:
        found = list_attachments(db, rollout)
    if as_json:
        print_json(found)
    elif found:
        rows = [(one["name"], one["url"] or size_in_words(one["size"]), one["added_by"], moment(one["added_at"]))
                for one in found]  # fmt: skip
        print_table(("name", "size or address", "added by", "added"), rows)
    else:
        click.echo("Nothing is attached.")


@click.command()
@click.argument("rollout")
@click.argument("name")
@_BY
def detach(rollout: str, name: str, by: str) -> None:
    """Take the attachment called NAME off a ROLLOUT."""
    settings = Settings.from_environment()
    with opened(settings) as db:
        take_off(db, settings.secret_keys, rollout, name, actor(db, by), now_utc())
    click.echo(f"Took off “{name}”.")
