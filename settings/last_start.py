"""Where the last `etappe start` of a home put its parts, which may have been given ports: for commands elsewhere.

Kept in {home}/addresses.json, under the names of the variables that would say the same. Nothing is secret in it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

_NAME = "addresses.json"


def remember(home: Path, addresses: Mapping[str, str]) -> None:
    """Write down what was started where, whole or not at all."""
    written = home / f"{_NAME}.new"
    written.write_text(json.dumps(dict(addresses), indent=2) + "\n", "utf-8")
    written.replace(home / _NAME)


def remembered(home: Path) -> dict[str, str]:
    """Return what was written down, nothing where that is not there or no longer what it was."""
    try:
        found = json.loads((home / _NAME).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(name): str(value) for name, value in found.items()} if isinstance(found, dict) else {}
