"""`etappe audit`: whether the record is what was written."""

from __future__ import annotations

import click

from cli.opening import opened
from cli.printing import json_option, plural, print_json
from operations.verify_record import ChainReport, verify_record
from settings import Settings


@click.group()
def audit() -> None:
    """Verify the record."""


@audit.command()
@click.argument("rollout", default="")
@json_option
def verify(rollout: str, as_json: bool) -> int:
    """Verify the record of ROLLOUT, or of every rollout; say where a chain breaks, and exit with 1 if one does."""
    with opened(Settings.from_environment()) as db:
        reports = verify_record(db, rollout)
    broken = [report for report in reports if not report.holds]
    if as_json:
        print_json([{**vars(report), "holds": report.holds} for report in reports])
        return bool(broken)
    for report in broken:
        click.echo(_sentence(report), err=True)
    entries = sum(report.entries for report in reports)
    holding = f"{plural(len(reports) - len(broken), 'record')} of {len(reports)} hold"
    click.echo(f"{holding}; {plural(entries, 'entry', 'entries')} read.")
    return bool(broken)


def _sentence(report: ChainReport) -> str:
    where = "" if report.broken_at is None else f" at entry {report.broken_at}"
    return f"The record of the rollout {report.rollout_id} breaks{where}: {report.because}."
