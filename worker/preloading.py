"""The starter's side of the process that parts are forked from (worker/preloaded.py)."""

from __future__ import annotations

import json
import os
import select
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import BinaryIO, Protocol

from worker import leash
from worker.preloaded import LONGEST_MESSAGE


def is_possible() -> bool:
    """Whether a fork can become a child of this process: Linux gives orphans to an ancestor that asks for them."""
    return sys.platform == "linux"


class Process(Protocol):
    """What is used of a child process: of subprocess.Popen, and of a fork."""

    @property
    def pid(self) -> int:
        """Its process id."""

    @property
    def returncode(self) -> int | None:
        """How it has ended, as far as it was looked at."""

    def poll(self) -> int | None:
        """Return its exit code, minus the number of a signal that killed it, None while it runs."""

    def wait(self) -> int:
        """Wait for its end, and return its exit code."""

    def send_signal(self, sig: int) -> None:
        """Send it a signal unless it has ended."""


class Fork:
    """A process that was forked from another one and is a child of this one."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Return its exit code, minus the number of a signal that killed it, None while it runs.

        As with subprocess.Popen it is 0 where somebody else has waited for it.
        """
        return self._look(os.WNOHANG)

    def wait(self) -> int:
        """Wait for its end, and return its exit code."""
        code = self._look(0)
        assert code is not None
        return code

    def send_signal(self, sig: int) -> None:
        """Send it a signal unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, sig)

    def _look(self, options: int) -> int | None:
        if self.returncode is None:
            try:
                pid, status = os.waitpid(self.pid, options)
            except ChildProcessError:  # somebody else has waited for it, as one does who ends all of a family
                pid, status = self.pid, 0
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode


class Preloaded:
    """One such process. It can be asked at once, and answers when it has imported everything."""

    def __init__(self, names: Sequence[str], environment: Mapping[str, str], log: BinaryIO) -> None:
        """`names` are modules, and functions as `module:function`."""
        leash.adopt_orphans()
        self._connection, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, LONGEST_MESSAGE)
        with its:
            command = [sys.executable, "-P", "-m", "worker.preloaded", str(its.fileno()), *names]
            self._process = subprocess.Popen(
                leash.leashed(command),
                env=environment,
                pass_fds=[its.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def ask(self, name: str, command: Sequence[str], environment: Mapping[str, str], log: BinaryIO) -> None:
        """Ask for a fork that runs `command`, a module and its arguments. Raises OSError when there is nobody."""
        asked = {"name": name, "command": list(command), "environment": dict(environment)}
        socket.send_fds(self._connection, [json.dumps(asked).encode()], [log.fileno()])

    def answers(self, within: float) -> bool:
        """Wait so many seconds for the fork that was asked for; return whether it can be taken."""
        return bool(select.select([self._connection], [], [], within)[0])

    def take(self) -> Fork:
        """Return the fork that was asked for. Raises OSError when the process has ended without one."""
        answer = self._connection.recv(LONGEST_MESSAGE)
        if not answer:
            raise BrokenPipeError(f"it has ended with exit code {self._process.wait()}")
        return Fork(int(answer))

    def close(self) -> None:
        """Have it end; its forks go on."""
        self._connection.close()
        self._process.wait()
