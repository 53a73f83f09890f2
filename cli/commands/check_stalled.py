"""`etappe check-stalled`: what the scheduled check does, by hand."""

from __future__ import annotations

import click

from cli import prefect
from cli.opening import opened
from cli.printing import json_option, now_utc, plural, print_json
from operations.check_stalled import CheckReport, check_stalled
from operations.installation import Installation
from settings import Settings
from settings.machine import machine_name
from worker.prefect_facts import PrefectFacts


@click.command("check-stalled")
@prefect.prefect_options
@json_option
def check(api: PrefectFacts, as_json: bool) -> None:
    """Remind, escalate, expire and renew what is due, report stages that have stalled, and repair flow runs."""
    settings = Settings.from_environment()
    with opened(settings) as db:
        report = check_stalled(db, settings.secret_keys, now_utc(), machine_name())
    trouble = _repair_flow_runs(settings, api)
    if as_json:
        print_json({**vars(report), "prefect": {"url": api.url, "compared": not trouble, "problem": trouble or None}})
        return
    click.echo(_sentence(report))
    if report.expiries_wait:
        click.echo(
            "What came due lately does not expire yet: the check had not run for a while, or clocks disagree. "
            "The next run looks again."
        )
    click.echo(trouble or "Flow runs were compared with Prefect.")


def _sentence(report: CheckReport) -> str:
    return (
        f"Reminded at {plural(report.reminded, 'gate')}, escalated {report.escalated}, let {report.expired} expire; "
        f"asked {report.renewed} again for renewal, {report.overdue} newly overdue; "
        f"{plural(report.stalled, 'stage')} newly stalled; {plural(report.advanced, 'rollout')} went on, "
        f"dates of {report.moved} moved with a calendar; "
        f"asked {report.delegated} in another one's place, took {report.taken_back} back."
    )


def _repair_flow_runs(settings: Settings, api: PrefectFacts) -> str:
    """Compare rollouts and flow runs; returns what was in the way, "" when nothing was."""
    if not api.answers():
        return f"Prefect does not answer at {api.url}; its flow runs are compared the next time."
    prefect.use(settings.home, api)
    from worker.reconcile import reconcile  # imports Prefect, which takes seconds

    installation = Installation(settings)
    try:
        reconcile(installation)
    except Exception as failure:  # noqa: BLE001  Prefect's client raises whatever httpx does, and more
        words = " ".join(str(failure).split())[:200] or type(failure).__name__
        return f"Comparing with Prefect at {api.url} failed ({words}); the next check tries again."
    finally:
        installation.db.close()
    return ""
