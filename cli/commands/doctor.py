"""`etappe doctor`: what is wrong with this installation, and what to do about it."""

from __future__ import annotations

import click

from cli import prefect
from cli.checkup import check_up
from cli.finding import Level
from cli.printing import json_option, print_json
from settings import Settings
from worker.prefect_facts import PrefectFacts

_SIGNS = {Level.OK: "ok     ", Level.WARNING: "warning", Level.PROBLEM: "problem"}


@click.command()
@prefect.prefect_options
@json_option
def doctor(api: PrefectFacts, as_json: bool) -> int:
    """Look at every part of this installation. Exits with 1 when there is a problem; warnings are fine."""
    settings = Settings.from_environment()
    findings = check_up(settings, api)
    if as_json:
        print_json([{"check": one.check, "level": one.level.value, "sentence": one.sentence} for one in findings])
    else:
        width = max(len(one.check) for one in findings)
        for one in findings:
            click.echo(f"{_SIGNS[one.level]}  {one.check.ljust(width)}  {one.sentence}")
    return any(one.level is Level.PROBLEM for one in findings)
