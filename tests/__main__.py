"""All tests, as `make test` runs them: in two processes beside each other, for the two cores that most machines have.

Those that use a database, and commands, are half of the work, and run beside all others; those of `make cluster` do not
run here. With arguments it is pytest, and no more.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from typing import Any

from worker.leash import leashed

ONE_HALF = ("tests/integration", "tests/cli", "tests/start")
BY_THEMSELVES = "tests/cluster"
PYTEST = (sys.executable, "-m", "pytest")


def main(arguments: Sequence[str]) -> int:
    """Run the tests; return the first of pytest's exit codes that is not 0."""
    if arguments:
        os.execv(sys.executable, [*PYTEST, *arguments])
    with tempfile.TemporaryFile("w+", errors="replace") as said:
        beside = _pytest(*ONE_HALF, stdout=said, stderr=subprocess.STDOUT)
        others = _pytest(*(f"--ignore={folder}" for folder in (*ONE_HALF, BY_THEMSELVES)))
        print(f"Beside these run those of {', '.join(ONE_HALF)}; what they say follows at the end.", flush=True)
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
