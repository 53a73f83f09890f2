"""`etappe gate`: what somebody may do at one gate of a rollout beside deciding it by a link."""

from __future__ import annotations

import click


@click.group()
def gate() -> None:
    """Look after one gate of a rollout."""
