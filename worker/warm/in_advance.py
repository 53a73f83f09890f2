"""A zygote that is forked from the worker's own process, while that has one thread and has opened nothing yet."""

from __future__ import annotations

import os
import signal
import socket
import sys
import traceback
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from prefect.settings import get_current_settings

from worker import leash
from worker.prefect_server import python_path
from worker.preloaded import name_process, settle
from worker.warm import zygote


@dataclass(frozen=True)
class Forked:
    """A zygote that runs in `folder`, and the worker's end of the socket by which it is asked."""

    folder: Path
    pid: int
    connection: socket.socket

    def wait(self) -> int:
        """Wait for its end."""
        return os.waitpid(self.pid, 0)[1]


_forked: list[Forked] = []


def fork(folder: Path, stamp: zygote.Stamp | None) -> None:
    """Fork a zygote from this process, which has imported everything; `stamp` is what that took."""
    ours, its = zygote.sockets()
    settle()
    worker = os.getpid()
    pid = os.fork()
    if pid:
        its.close()
        _forked.append(Forked(folder, pid, ours))
        return
    try:
        ours.close()
        leash.die_with_parent(worker, signal.SIGKILL)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        os.chdir(folder)
        os.environ.update(environment())
        name_process("etappe zygote")
        with suppress(BrokenPipeError, ConnectionResetError):
            zygote.serve(its, stamp)
    except BaseException:  # noqa: BLE001 - nothing above this frame is the zygote's
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(0)


def take(folder: Path) -> Forked | None:
    """Return the zygote that was forked for this folder, to one who asks; None to all others."""
    return _forked.pop() if _forked and _forked[0].folder == folder else None


def environment() -> dict[str, str]:
    """Return what the environment of a zygote has to say beside that of its worker."""
    settings = get_current_settings().to_environment_variables(exclude_unset=True)
    return {**settings, "PYTHONPATH": python_path()}
