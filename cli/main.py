"""The command `etappe`: its overview, and what comes of a refusal.

Exit codes: 0 done, 1 refused (one sentence on standard error), 2 wrong usage, 130 interrupted.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import TextIO

import click

from cli.lazy import Lazy, LazyGroup, ReaderGone
from domain.errors import EtappeError, InvalidFile

REFUSED = 1
INTERRUPTED = 130
_HERE = "cli.commands"

COMMANDS = {
    "start": Lazy(f"{_HERE}.start:start", "Run all of Etappe on this machine; Ctrl-C ends it"),
    "plan": Lazy(f"{_HERE}.plan:plan", "Check, list and show plans"),
    "people": Lazy(f"{_HERE}.people:people", "Import and list people, and let them answer for each other"),
    "rollout": Lazy(f"{_HERE}.rollout:rollout", "Start, list, show, change, migrate, cancel and resume rollouts"),
    "board": Lazy(f"{_HERE}.board:board", "Print the address of the page with all rollouts"),
    "gate": Lazy(f"{_HERE}.gate:gate", "Look after one gate of a rollout"),
    "token": Lazy(f"{_HERE}.token:token", "Make, list and revoke people's tokens for the API"),
    "attach": Lazy(f"{_HERE}.attach:attach", "Attach a file or a link to a rollout"),
    "attachments": Lazy(f"{_HERE}.attach:attachments", "List what is attached to a rollout"),
    "detach": Lazy(f"{_HERE}.attach:detach", "Take an attachment off"),
    "measure": Lazy(f"{_HERE}.measure:measure", "Record a measured value"),
    "check-stalled": Lazy(f"{_HERE}.check_stalled:check", "Remind, escalate and expire what is due"),
    "audit": Lazy(f"{_HERE}.audit:audit", "Verify the record"),
    "doctor": Lazy(f"{_HERE}.doctor:doctor", "Look for what is wrong with this installation"),
    "migrate": Lazy(f"{_HERE}.migrate:migrate", "Set the database up, or bring it up to date"),
    "web": Lazy(f"{_HERE}.web:web", "Run the pages alone"),
    "worker": Lazy(f"{_HERE}.worker:worker", "Run the relay and a Prefect worker alone"),
    "relay": Lazy(f"{_HERE}.relay:relay", "Run the relay alone"),
    "mailbox": Lazy(f"{_HERE}.mailbox:mailbox", "Run the local mailbox alone"),
    "deploy": Lazy(f"{_HERE}.deploy:deploy", "Register the deployments with Prefect"),
}


def _say_version(context: click.Context, option: click.Parameter, asked: bool) -> None:
    if asked and not context.resilient_parsing:
        import tomllib

        from settings import CHECKOUT

        project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        click.echo(f"etappe {project['version']}")
        context.exit()


@click.group(
    cls=LazyGroup,
    lazy=COMMANDS,
    name="etappe",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option(
    "--version",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_say_version,
    help="Say the version and exit.",
)
def etappe() -> None:
    """Staged rollout approvals: who must say yes, who is waited for, and what happens next."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    _never_fail_to_print(sys.stdout)
    _never_fail_to_print(sys.stderr)
    try:
        return _run(arguments)
    except (BrokenPipeError, ReaderGone):
        _close_quietly(sys.stdout)
        return 0


def _run(arguments: Sequence[str] | None) -> int:
    try:
        code = etappe.main(arguments, prog_name="etappe", standalone_mode=False)
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except click.ClickException as wrong_usage:
        wrong_usage.show()
        return wrong_usage.exit_code
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except BrokenPipeError:
        raise
    except EtappeError as refusal:
        return _refuse(*refusal_lines(refusal))
    except OSError as failure:
        return _refuse(f"{failure.filename}: {failure.strerror}" if failure.filename else str(failure))


def refusal_lines(refusal: EtappeError) -> list[str]:
    """Return the sentence; for a file, every problem on a line of its own, with its place as editors read it."""
    if isinstance(refusal, InvalidFile):
        return [f"{refusal.source}:{each.line}:{each.column}: {each.sentence}" for each in refusal.problems]
    return [refusal.sentence]


def _refuse(*lines: str) -> int:
    for line in lines:
        click.echo(line, err=True)
    return REFUSED


def _never_fail_to_print(stream: TextIO) -> None:
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="replace")


def _close_quietly(stream: TextIO) -> None:
    """Whoever read our output has gone; keep Python from complaining about it when it ends."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
