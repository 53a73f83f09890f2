"""A running Etappe comes up in order or not at all, and however it ends, nothing of it is left behind.

Everything here is real: the supervisor runs as a program of its own, its parts are processes that listen on ports, and
each of them has a grandchild in a session of its own, as the flow runs of a Prefect worker are.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # its stubs are a package of their own
import pytest

from tests.ports import free_port
from worker.parts import Crew, Part, PartFailed

CHECKOUT = Path(__file__).resolve().parents[2]
PATIENCE = 10.0

# A part: writes its name down when it starts and when it is asked to end, listens, and has a grandchild.
PART = """
import pathlib, signal, socket, subprocess, sys, time
name, port, story = sys.argv[1], int(sys.argv[2]), pathlib.Path(sys.argv[3])
def note(what):
    with story.open("a") as file: file.write(f"{what} {name}\\n")
def end(*_):
    note("ended"); sys.exit(0)
signal.signal(signal.SIGTERM, signal.SIG_IGN if "stubborn" in sys.argv else end)
subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(60)", str(story)], start_new_session=True)
note("started")
print("a line of the log", flush=True)
if "broken" in sys.argv: sys.exit(3)
if "once" in sys.argv: end()
if sys.argv[4] not in ("silent", "late"): server = socket.create_server(("127.0.0.1", port))
time.sleep(60)
"""

# The program that supervises: every argument is one part, NAME:PORT:MODE.
PROGRAM = """
import os, signal, socket, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_IGN if "NOHUP" in os.environ else signal.SIG_DFL)
from datetime import timedelta
from pathlib import Path
from domain.errors import EtappeError
from worker.supervisor import Part, Port, run
home, source, *wanted = sys.argv[1:]
def answers(port):
    try: socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError: return False
    return True
def part(name, port, mode):
    return Part(name, [sys.executable, "-S", "-c", source, name, port, str(Path(home) / "story"), mode],
        finishes=mode == "once", ready=lambda: answers(int(port)), ports=(Port(int(port), f"--{name}-port"),),
        stop_within=timedelta(seconds=0.3), ready_within=timedelta(seconds=0.6 if mode == "late" else 20))
try:
    parts = [part(*each.split(":")) for each in wanted]
    sys.exit(run(parts, Path(home), when_ready=lambda: print("all up", flush=True)))
except EtappeError as refusal:
    sys.exit(refusal.sentence)
"""


@dataclass
class Start:
    """One started supervisor: its process, and where its parts tell their story."""

    process: subprocess.Popen[str]
    home: Path

    def story(self) -> list[str]:
        story = self.home / "story"
        return story.read_text().splitlines() if story.exists() else []

    def said(self) -> str:
        return (self.home / "said").read_text()

    def left_behind(self) -> list[psutil.Process]:
        """Every process, wherever it hangs in the tree, that was started for this home."""
        return [one for one in psutil.process_iter() if _is_for(one, self.home)]

    def await_all_up(self) -> None:
        eventually(lambda: "all up" in self.said())

    def keeper(self) -> psutil.Process:
        (keeper,) = psutil.Process(self.process.pid).children()
        return keeper


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    home.mkdir()
    return home


@contextmanager
def started(home: Path, *parts: str) -> Iterator[Start]:
    with (home / "said").open("a") as output:
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(home), PART, *parts],
            cwd=CHECKOUT,
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
    start = Start(process, home)
    try:
        yield start
    finally:
        for left in start.left_behind():
            with suppress(psutil.NoSuchProcess):
                left.kill()
        process.wait(PATIENCE)


def _is_for(process: psutil.Process, home: Path) -> bool:
    """Whether it was started for this home and has not ended, which it may do while it is looked at."""
    try:
        return any(str(home) in argument for argument in process.cmdline()) and process.status() != "zombie"
    except psutil.Error:
        return False


def eventually(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.02)


def can_be_bound(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_parts_start_in_order_and_a_signal_ends_them_in_reverse(home: Path, ending: signal.Signals) -> None:
    first, second = free_port(), free_port()
    with started(home, f"database:{first}:", f"web:{second}:") as start:
        start.await_all_up()
        start.process.send_signal(ending)
        assert start.process.wait(PATIENCE) == 0
        assert start.story() == ["started database", "started web", "ended web", "ended database"]
        assert start.left_behind() == []
        assert can_be_bound(first)
        assert can_be_bound(second)
        assert "database … ready (" in start.said()


def test_a_part_that_finishes_has_ended_before_the_next_one_starts(home: Path) -> None:
    with started(home, f"deployments:{free_port()}:once", f"web:{free_port()}:") as start:
        start.await_all_up()
        assert start.story() == ["started deployments", "ended deployments", "started web"]
        assert "deployments … done (" in start.said()
        start.process.terminate()
        assert start.process.wait(PATIENCE) == 0
        assert start.left_behind() == []


def test_a_program_that_cannot_be_run_is_told_in_a_sentence(home: Path) -> None:
    refused = r"The web ended unexpectedly \(exit code 127\)"
    with Crew(home / "logs") as crew, pytest.raises(PartFailed, match=refused) as told:
        crew.start(Part("web", ["/no/such/program"], ready=lambda: False))
    assert told.value.last_lines == ["/no/such/program: No such file or directory"]


def test_the_end_of_a_session_that_it_was_told_to_outlive_does_not_end_it(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOHUP", "1")
    with started(home, f"web:{free_port()}:") as start:
        start.await_all_up()
        start.process.send_signal(signal.SIGHUP)
        with pytest.raises(subprocess.TimeoutExpired):
            start.process.wait(0.3)


def test_the_death_of_a_part_ends_all_and_says_which_and_why(home: Path) -> None:
    with started(home, f"database:{free_port()}:", f"web:{free_port()}:") as start:
        start.await_all_up()
        victim = next(one for one in start.keeper().children() if "web" in one.cmdline())
        victim.kill()
        assert start.process.wait(PATIENCE) == 1
        assert "The web ended unexpectedly (SIGKILL)" in start.said()
        assert "  | a line of the log" in start.said()
        assert start.story()[-1] == "ended database"
        assert start.left_behind() == []


def test_a_part_that_does_not_come_up_ends_those_before_it_and_starts_none_after_it(home: Path) -> None:
    with started(home, f"database:{free_port()}:", f"web:{free_port()}:broken", f"relay:{free_port()}:") as start:
        assert start.process.wait(PATIENCE) == 1
        assert start.story() == ["started database", "started web", "ended database"]
        assert "The web ended unexpectedly (exit code 3)" in start.said()
        assert start.left_behind() == []


def test_the_death_of_a_part_is_noticed_while_later_ones_are_coming_up(home: Path) -> None:
    with started(home, f"database:{free_port()}:", f"web:{free_port()}:silent") as start:
        eventually(lambda: "started web" in start.story())
        next(one for one in start.keeper().children() if "database" in one.cmdline()).kill()
        assert start.process.wait(PATIENCE) == 1
        assert "The database ended unexpectedly (SIGKILL)" in start.said()
        assert start.left_behind() == []


def test_a_part_that_is_not_ready_in_time_ends_all(home: Path) -> None:
    with started(home, f"database:{free_port()}:", f"web:{free_port()}:late") as start:
        assert start.process.wait(PATIENCE) == 1
        assert "The web was not ready within 0.6 seconds" in start.said()
        assert start.left_behind() == []


def test_a_part_that_ignores_the_request_to_end_is_killed(home: Path) -> None:
    with started(home, f"web:{free_port()}:stubborn") as start:
        start.await_all_up()
        start.process.terminate()
        assert start.process.wait(PATIENCE) == 0
        assert start.left_behind() == []


def test_a_signal_while_the_parts_are_coming_up_ends_them_too(home: Path) -> None:
    with started(home, f"database:{free_port()}:", f"web:{free_port()}:silent") as start:
        eventually(lambda: "started web" in start.story())
        start.process.terminate()
        assert start.process.wait(PATIENCE) == 0
        assert start.left_behind() == []


def test_killing_the_process_in_front_leaves_nothing_behind(home: Path) -> None:
    port = free_port()
    with started(home, f"database:{free_port()}:", f"web:{port}:") as start:
        start.await_all_up()
        start.process.kill()
        eventually(lambda: start.left_behind() == [])
        assert can_be_bound(port)
        assert start.story()[-2:] == ["ended web", "ended database"]


def test_killing_the_whole_process_group_leaves_nothing_behind(home: Path) -> None:
    with started(home, f"web:{free_port()}:") as start:
        start.await_all_up()
        os.killpg(start.process.pid, signal.SIGKILL)
        eventually(lambda: start.left_behind() == [])


def test_killing_the_keeper_leaves_nothing_behind(home: Path) -> None:
    with started(home, f"web:{free_port()}:") as start:
        start.await_all_up()
        start.keeper().kill()
        assert start.process.wait(PATIENCE) == 1
        assert start.left_behind() == []


def test_a_taken_port_is_one_sentence_and_nothing_is_started(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        with started(home, f"database:{free_port()}:", f"web:{taken}:") as start:
            assert start.process.wait(PATIENCE) == 1
            assert start.said() == (
                f"Port {taken}, which the web wants, is already taken by another program; "
                "give another one with --web-port.\n"
            )
            assert start.story() == []


def test_a_port_that_two_parts_want_is_one_sentence(home: Path) -> None:
    port = free_port()
    with started(home, f"mailbox:{port}:", f"web:{port}:") as start:
        assert start.process.wait(PATIENCE) == 1
        assert start.said() == (
            f"Port {port}, which the web wants, is already taken by the mailbox; give another one with --web-port.\n"
        )


def test_a_second_start_on_the_same_home_is_refused_while_the_first_one_runs(home: Path) -> None:
    with started(home, f"web:{free_port()}:") as first:
        first.await_all_up()
        with started(home, f"web:{free_port()}:") as second:
            assert second.process.wait(PATIENCE) == 1
            assert second.said().endswith(
                f"Etappe already runs on {home} (process {first.process.pid}); "
                "stop it first, or give another folder with --home.\n"
            )
            assert first.process.poll() is None
            first.process.terminate()
            first.process.wait(PATIENCE)
        with started(home, f"web:{free_port()}:") as third:
            eventually(lambda: third.said().count("all up") == 2)
