"""How long a newcomer waits: for `etappe --help`, for other commands, for `etappe start`, and for `make start`.

`etappe start` runs in a temporary home: the first time from nothing, then with what the first one made. `make start`
runs in a clone of this checkout's HEAD, with pip's cache as it is after one installation, which is not counted. Beside
each stands its ratio to `import prefect` in a new process, measured in between: how fast the machine is at that moment.

Run: python benchmarks/first_use.py [how many] [--make] [--write]; with --make the clones too, which takes minutes.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.kit.report import Spans, numbers, reporting
from benchmarks.kit.spread import spread
from settings import CHECKOUT

COMMANDS = ("--help", "rollout --help", "rollout list", "people list", "plan list")
PATIENCE_SECONDS = 600
READY = b"Ctrl-C ends all."


def main() -> None:
    """Measure and print."""
    [count] = numbers(5)
    with reporting(__file__, __doc__) as report, tempfile.TemporaryDirectory() as folder:
        spans = report.spans("what; the limit is the import of Prefect")
        environment = _environment(Path(folder) / "home")
        _run([sys.executable, "-m", "cli", "migrate", "--sample-people"], environment)
        for command in COMMANDS:
            _measure(spans, f"etappe {command}", count, _running(command, environment))
        _measure(spans, "etappe start, from nothing", count, lambda: _starting(_fresh(folder)))
        home = _fresh(folder)
        _starting(home)
        _measure(spans, "etappe start, once more", count, lambda: _starting(home))
        if "--make" in sys.argv:
            _make_start(_fresh(folder))
            _measure(spans, "make start, in a new clone", count, lambda: _make_start(_fresh(folder)))


def _measure(spans: Spans, what: str, count: int, do: Callable[[], float]) -> None:
    """Measure something in turn with the import of Prefect."""
    took, imports = [], []
    for _ in range(count):
        imports.append(_seconds(lambda: _run([sys.executable, "-c", "import prefect"], os.environ)))
        took.append(do())
    spans.row(what, took, spread(imports))


def _running(command: str, environment: Mapping[str, str]) -> Callable[[], float]:
    return lambda: _seconds(lambda: _run([sys.executable, "-m", "cli", *command.split()], environment))


def _starting(home: Path) -> float:
    return _until_ready([sys.executable, "-m", "cli", "start", *_options(home)], CHECKOUT, _environment(home))


def _make_start(folder: Path) -> float:
    """From a clone to the addresses. `.venv` is made anew in it."""
    subprocess.run(["git", "clone", "--quiet", str(CHECKOUT), str(folder)], check=True)
    options = " ".join(_options(folder / "var"))
    return _until_ready(["make", "start", f"OPTIONS={options}"], folder, _environment(folder / "var"))


def _until_ready(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> float:
    """Seconds from the command to its last line; then press Ctrl-C and wait for its end."""
    said, began = b"", time.perf_counter()
    with subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
    ) as process:
        assert process.stdout
        while READY not in said and (heard := os.read(process.stdout.fileno(), 65_536)):
            said += heard
        taken = time.perf_counter() - began
        process.send_signal(signal.SIGINT)
        process.wait(PATIENCE_SECONDS)
    if READY not in said:
        sys.exit(said.decode())
    return taken


def _run(command: Sequence[str], environment: Mapping[str, str]) -> None:
    subprocess.run(command, cwd=CHECKOUT, env=environment, check=True, capture_output=True)


def _seconds(do: Callable[[], None]) -> float:
    began = time.perf_counter()
    do()
    return time.perf_counter() - began


def _fresh(folder: str) -> Path:
    return Path(tempfile.mkdtemp(dir=folder)) / "here"


def _environment(home: Path) -> dict[str, str]:
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("ETAPPE_", "PREFECT_"))}
    plain.pop("PYTHONPATH", None)  # the checkout is found by where the command runs, as a newcomer's is
    return {**plain, "ETAPPE_HOME": str(home)}


def _options(home: Path) -> list[str]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(3)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        web, prefect, smtp = (str(each.getsockname()[1]) for each in sockets)
    return ["--home", str(home), "--web-port", web, "--prefect-port", prefect, "--smtp-port", smtp]


if __name__ == "__main__":
    main()
