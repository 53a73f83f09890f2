"""Measures everything, one script after the other: with small sizes, or with those that docs/performance.md tells of.

Run: python -m benchmarks [--full] [--write] [NAME ...]; without names, all of them. Exits with 1 when one has failed.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence

from benchmarks.kit.report import WRITE
from settings import CHECKOUT

FULL = "--full"
SCRIPTS: dict[str, tuple[str, str]] = {
    "decision": ("30", "60"),
    "decision_post": ("100", "200"),
    "relay": ("100 3", "200 5"),
    "next_request": ("30 200 1000", "100 200 10000"),
    "bars": ("20 100", "100 200"),
    "painting": ("20 40", "40 200"),
    "starts": ("5 40", "15 200"),
    "many_decisions": ("200", "5000"),
    "two_of_each": ("200 3", "600 5"),
    "wake": ("3", "9"),
    "growth": ("1000", "100000"),
    "check": ("20000 1", "100000 3"),
    "idle": ("1000 10", "10000 60"),
    "disk": ("200", "1000"),
    "first_use": ("2", "5 --make"),
}
"""The arguments of each script: the small sizes, and the full ones."""


def main(words: Sequence[str]) -> int:
    """Run what is asked for, say how long each took, and return the exit code."""
    names = [word for word in words if not word.startswith("--")] or list(SCRIPTS)
    unknown = [name for name in names if name not in SCRIPTS]
    options = [word for word in words if word.startswith("--")]
    if unknown or not {*options} <= {FULL, WRITE}:
        print(f"usage: python -m benchmarks [{FULL}] [{WRITE}] [{' | '.join(SCRIPTS)} ...]", file=sys.stderr)
        return 2
    failed = [name for name in names if not _run(name, FULL in options, [WRITE] if WRITE in options else [])]
    for name in failed:
        print(f"{name} has failed", file=sys.stderr)
    return 1 if failed else 0


def _run(name: str, full: bool, more: Sequence[str]) -> bool:
    """Run one script to its end; return whether it did what it should."""
    arguments = SCRIPTS[name][full].split()
    print(f"\n== {' '.join([name, *arguments])}", flush=True)
    began = time.monotonic()
    command = [sys.executable, "-m", f"benchmarks.{name}", *arguments, *more]
    path = os.pathsep.join(filter(None, [str(CHECKOUT), os.environ.get("PYTHONPATH", "")]))
    done = subprocess.run(command, cwd=CHECKOUT, env={**os.environ, "PYTHONPATH": path}, check=False)
    print(f"== {name}: {time.monotonic() - began:.0f} s", flush=True)
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
