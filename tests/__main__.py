"""All tests, as `make test` runs them: in two processes beside each other, for the two cores that most machines have.

Those that use a database, half of the work, run beside all others; those of `make cluster` do not run here. With
arguments it is pytest, and no more.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from typing import Any

from worker.leash import leashed

WITH_A_DATABASE = "tests/integration"
BY_THEMSELVES = "tests/cluster"
PYTEST = (sys.executable, "-m", "pytest")


def main(arguments: Sequence[str]) -> int:
    """Run the tests; return the first of pytest's exit codes that is not 0."""
    if arguments:
        os.execv(sys.executable, [*PYTEST, *arguments])
    with tempfile.TemporaryFile("w+", errors="replace") as said:
        beside = _pytest(WITH_A_DATABASE, stdout=said, stderr=subprocess.STDOUT)
        others = _pytest(f"--ignore={WITH_A_DATABASE}", f"--ignore={BY_THEMSELVES}")
        print(f"Beside these run those of {WITH_A_DATABASE}; what they say follows at the end.", flush=True)
        codes = [_end_of(others), _end_of(beside)]
        said.seek(0)
        sys.stdout.writelines(said)
    return next(filter(None, codes), 0)


def _pytest(*arguments: str, **streams: Any) -> subprocess.Popen[bytes]:
    return subprocess.Popen(leashed([*PYTEST, *arguments]), **streams)


def _end_of(process: subprocess.Popen[bytes]) -> int:
    """Wait for it. Ctrl-C reaches it as well: it clears up and ends by itself."""
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
