"""Keeps a running Etappe together: one start per home, free ports, every part up or none, nothing left behind.

Two processes watch each other. The one in front has the terminal; behind it the keeper starts the parts. If the front
is killed, the kernel tells the keeper, which ends the parts in order; if the keeper is killed, its children fall to the
front, which ends them. Ctrl-C, SIGTERM and SIGHUP reach the front alone, so that the parts end in order.
"""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from domain.errors import EtappeError, PortTaken
from worker import leash
from worker.family import end_all, family
from worker.parts import Crew, Interrupted, Part, PartFailed, Port, together

__all__ = ["AlreadyRunning", "Crew", "Part", "PartFailed", "Port", "PortTaken", "check_ports", "is_taken", "run"]

HOST = "127.0.0.1"
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class AlreadyRunning(EtappeError):
    """Etappe already runs on this home."""

    def __init__(self, home: Path, pid: str) -> None:
        self.home, self.pid = home, pid
        who = f" (process {pid})" if pid else ""
        super().__init__(f"Etappe already runs on {home}{who}; stop it first, or give another folder with --home.")


def run(
    parts: Sequence[Part],
    home: Path,
    *,
    say: Callable[[str], None] | None = None,
    when_ready: Callable[[], None] = lambda: None,
) -> int:
    """Start the parts in order, call `when_ready`, and stay until Ctrl-C, SIGTERM, SIGHUP or the death of a part.

    Ends everything before it returns: 0 after a signal, 1 after a failure, which it has then told. `say` is given
    pieces of progress lines (default: standard output). Raises AlreadyRunning and PortTaken before anything is started.
    """
    tell = say or _print
    home.mkdir(parents=True, exist_ok=True)
    with _lock(home):
        check_ports(parts)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # ignored, it would take the exit codes with it
        before = signal.pthread_sigmask(signal.SIG_BLOCK, (*ENDING, signal.SIGCHLD))
        try:
            leash.adopt_orphans()
            return _watch(_fork_keeper(parts, home, tell, when_ready))
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


def check_ports(parts: Sequence[Part]) -> None:
    """Raises PortTaken for the first port that is in use on 127.0.0.1, or that two parts want."""
    wanted: dict[int, str] = {}
    for part in parts:
        for port in part.ports:
            if port.number in wanted:
                raise PortTaken(port.number, part.name, port.option, f"the {wanted[port.number]}")
            if is_taken(port.number):
                raise PortTaken(port.number, part.name, port.option)
            wanted[port.number] = part.name


def is_taken(number: int) -> bool:
    """Whether somebody listens at this port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, number))
        except OSError:
            return True
    return False


@contextmanager
def _lock(home: Path) -> Iterator[None]:
    """Hold the home. The keeper inherits the lock: it is free when both processes are gone, however they went."""
    path = home / "running.lock"
    with path.open("a+", encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyRunning(home, path.read_text(encoding="ascii").strip()) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def _fork_keeper(parts: Sequence[Part], home: Path, say: Callable[[str], None], when_ready: Callable[[], None]) -> int:
    front = os.getpid()
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        os.setsid()
        leash.die_with_parent(front, signal.SIGTERM)
        leash.adopt_orphans()
        code = _keep(parts, home, say, when_ready)
        sys.stdout.flush()
    except BaseException:  # noqa: BLE001  nothing above this frame is left to tell it
        traceback.print_exc()
    finally:
        os._exit(code)  # what the front opened before the fork is the front's to close


def _keep(parts: Sequence[Part], home: Path, say: Callable[[str], None], when_ready: Callable[[], None]) -> int:
    """The keeper's life: all parts up, then wait, then all down. Returns the exit code."""
    try:
        with Crew(home / "logs", forking=parts, say=say, interrupted=_was_told_to_end) as crew:
            for group in together(parts):
                crew.start(*group)
            when_ready()
            failure = _await_end(crew)
            if failure is None:
                say("Stopping …\n")
                return 0
            raise failure
    except Interrupted:
        return 0
    except PartFailed as failure:
        say(failure.report + "\n")
    except EtappeError as refusal:
        say(refusal.sentence + "\n")
    return 1


def _heeded() -> set[signal.Signals]:
    """The signals that end Etappe: all of them but those that its starter, nohup for one, has it ignore."""
    return {each for each in ENDING if signal.getsignal(each) != signal.SIG_IGN}


def _was_told_to_end() -> bool:
    return signal.sigtimedwait(_heeded(), 0) is not None


def _next_signal_ends() -> bool:
    """Wait until a child has ended (False) or somebody asks for the end (True)."""
    return signal.sigwait(_heeded() | {signal.SIGCHLD}) != signal.SIGCHLD


def _await_end(crew: Crew) -> PartFailed | None:
    """Wait for a signal (None) or for the death of a part (what to tell)."""
    while (failure := crew.failed()) is None:
        if _next_signal_ends():
            return None
    return failure


def _watch(keeper: int) -> int:
    """The front's life: pass signals on to the keeper, wait for it, and end whatever it left behind."""
    while (code := _exit_code(keeper)) is None:
        if _next_signal_ends():
            os.kill(keeper, signal.SIGTERM)
    orphans = [process for process in family(os.getpid()) if process.pid != os.getpid()]
    end_all(orphans)
    return code


def _exit_code(pid: int) -> int | None:
    """The child's exit code, 1 when a signal killed it, None while it runs."""
    ended, status = os.waitpid(pid, os.WNOHANG)
    if not ended:
        return None
    return os.WEXITSTATUS(status) if os.WIFEXITED(status) else 1


def _print(text: str) -> None:
    encoding = sys.stdout.encoding or "ascii"
    with suppress(OSError):  # the terminal may have gone; the parts must still be ended
        print(text.encode(encoding, "replace").decode(encoding), end="", flush=True)
