"""Another process on the same database."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from settings import CHECKOUT


@contextmanager
def another_process(program: str, *arguments: str, says: str) -> Iterator[subprocess.Popen[str]]:
    """A process that runs this program and has said this line; it ends with the block."""
    command = [sys.executable, "-c", program, *arguments]
    with subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == f"{says}\n"
            yield process
        finally:
            process.kill()
