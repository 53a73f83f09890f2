"""The process that flow runs are forked from: it has imported Prefect and the flows, and does nothing by itself.

`python -m worker.warm.zygote DESCRIPTOR`, in the folder that the flows are in. It has one thread and opens nothing, so
that a fork copies no lock, socket or event loop that somebody was just using. It is asked through a socket of the
worker's, and ends with it. When a file that it has imported has changed, it becomes a new process in place (exec):
children stay its children, and what it was asked meanwhile waits in the socket.
"""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import selectors
import signal
import socket
import sys
import traceback
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from prefect.logging.highlighters import PrefectConsoleHighlighter
from pydantic import BaseModel, PydanticUndefinedAnnotation, PydanticUserError

from worker import leash
from worker.preloaded import settle
from worker.warm import child, tls

LONGEST_MESSAGE = 1 << 20
FLOWS = "flows"
"""The package whose modules are imported before anything is asked."""
USED_BY_RUNS = (
    "prefect.engine",
    "prefect.flow_engine",
    "prefect.task_engine",
    "prefect.deployments.steps.pull",
    "prefect.runner._hook_runner",
    "anyio._backends._asyncio",
    "anyio.streams.tls",
    "encodings.idna",
    "rich._emoji_codes",
)
"""What a flow run imports sooner or later, some of it late."""

Stamp = Mapping[str, tuple[int, int, int]]


def main() -> None:
    """Import, then fork whatever is asked for, until the worker is gone."""
    descriptor = int(sys.argv[1])
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the worker ends its flow runs
    leash.die_with_parent(os.getppid(), signal.SIGKILL)
    stamp = warm_up()
    settle()
    connection = socket.socket(fileno=descriptor)
    with suppress(BrokenPipeError, ConnectionResetError):  # the worker has gone
        _send(connection, {"ready": True})
        serve(connection, stamp)


def sockets() -> tuple[socket.socket, socket.socket]:
    """Return the worker's end, which an event loop can use, and the zygote's."""
    ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    for end in (ours, its):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, LONGEST_MESSAGE)
    ours.setblocking(False)
    return ours, its


@cache
def warm_up() -> Stamp | None:
    """Import what flow runs use, once. Returns which files that took; None when some cannot be imported.

    What cannot be imported is left to the flow run that wants it: there it fails with Prefect's own words.
    """
    for name in USED_BY_RUNS:
        importlib.import_module(name)
    try:
        package = importlib.import_module(FLOWS)
        for module in pkgutil.iter_modules(package.__path__):
            importlib.import_module(f"{FLOWS}.{module.name}")
    except Exception:  # noqa: BLE001 - whatever somebody's code raises while it is imported
        traceback.print_exc()
        return None
    stamp = stamp_of(loaded_files(Path(package.__path__[0]).parent))
    _complete(BaseModel)
    tls.read_late()
    PrefectConsoleHighlighter()("what compiles its patterns")
    return stamp


def _complete(model: type[BaseModel]) -> None:
    """Have pydantic build now what it puts off until a model is used for the first time."""
    for each in model.__subclasses__():
        with suppress(PydanticUserError, PydanticUndefinedAnnotation, NameError):
            each.model_rebuild()
        _complete(each)


def loaded_files(folder: Path) -> list[str]:
    """Return the files below `folder` that modules were imported from; those of its environment are not of it."""
    files = {getattr(module, "__file__", None) or "" for module in list(sys.modules.values())}
    return sorted(file for file in files if file.startswith(f"{folder}{os.sep}") and "site-packages" not in file)


def stamp_of(files: list[str]) -> Stamp:
    """Return what tells one state of these files from another."""
    return {file: _stamp_of(file) for file in files}


def _stamp_of(file: str) -> tuple[int, int, int]:
    try:
        found = os.stat(file)
    except OSError:
        return 0, 0, 0
    return found.st_mtime_ns, found.st_size, found.st_ino


def serve(connection: socket.socket, stamp: Stamp | None) -> None:
    """Fork what is asked for and tell how it ended, until the other side is closed."""
    ended, woken_by = _wake_on_children()
    has_served = False
    with selectors.DefaultSelector() as selector:
        selector.register(connection, selectors.EVENT_READ)
        selector.register(ended, selectors.EVENT_READ)
        while True:
            asked = [key.fileobj for key, _ in selector.select()]
            if ended in asked:
                ended.recv(LONGEST_MESSAGE)
            _tell_who_ended(connection)
            if connection not in asked:
                continue
            if has_served if stamp is None else stamp_of(list(stamp)) != stamp:
                _become_new(connection)
            has_served = True
            message = connection.recv(LONGEST_MESSAGE)
            if not message:
                return
            _fork(connection, json.loads(message), [connection, ended, woken_by, selector])


def _wake_on_children() -> tuple[socket.socket, socket.socket]:
    """Return a socket that has something to read once a child has ended, and its other end."""
    reading, writing = socket.socketpair()
    for end in (reading, writing):
        end.setblocking(False)
    signal.signal(signal.SIGCHLD, _nothing)
    signal.set_wakeup_fd(writing.fileno(), warn_on_full_buffer=False)
    writing.send(b"\0")  # one may have ended before
    return reading, writing


def _nothing(number: int, frame: FrameType | None) -> None:
    """Take a signal; what is to be done about it is done in `serve`."""


def _tell_who_ended(connection: socket.socket) -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not pid:
            return
        _send(connection, {"ended": pid, "code": os.waitstatus_to_exitcode(status)})


def _become_new(connection: socket.socket) -> NoReturn:
    """Be the same process with new code; the children and the socket stay."""
    signal.set_wakeup_fd(-1)
    connection.set_inheritable(True)
    arguments = [sys.executable, "-m", "worker.warm.zygote", str(connection.fileno())]
    os.execv(sys.executable, arguments)  # noqa: S606  the very command that this process was started with


def _fork(connection: socket.socket, asked: dict[str, Any], to_close: list[Any]) -> None:
    parent = os.getpid()
    pid = os.fork()
    if pid:
        with suppress(OSError):  # the child does it too; whoever comes first, it is done before anybody hears of it
            os.setpgid(pid, pid)
        _send(connection, {"number": asked["number"], "pid": pid})
        return
    code = 1
    try:
        os.setpgid(0, 0)
        leash.die_with_parent(parent, signal.SIGKILL)
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for each in to_close:
            each.close()
        code = child.run(asked)
    except BaseException:  # noqa: BLE001 - nothing above this frame is the child's
        traceback.print_exc()
    finally:
        os._exit(code)


def _send(connection: socket.socket, message: dict[str, Any]) -> None:
    connection.sendall(json.dumps(message).encode())


if __name__ == "__main__":
    main()
