"""The process that parts are forked from: it has imported what they use, so that memory has one copy of it.

`python -P -m worker.preloaded DESCRIPTOR NAME...` imports each module that is named, and calls each function that is
named as `module:function`. Then it forks what it is asked for through the socket (worker/preloading.py), and ends with
it. It has one thread and opens nothing else, so that a fork copies no lock, socket or event loop that is in use.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import json
import os
import signal
import socket
import sys
import tempfile
import time
from runpy import run_module
from typing import Any

from worker import leash

LONGEST_MESSAGE = 1 << 20


def main() -> None:
    """Import, fork whatever is asked for, and in each fork be the command that was asked for."""
    descriptor, names = int(sys.argv[1]), sys.argv[2:]
    for name in names:
        _preload(name)
    settle()
    with socket.socket(fileno=descriptor) as connection:
        asked = _fork_until_closed(connection)
    if asked is None:
        os._exit(0)  # an interpreter that ends in order would first write to memory that the forks share
    module, *arguments = asked["command"]
    sys.argv = [module, *arguments]
    run_module(module, run_name="__main__", alter_sys=True)


def _preload(name: str) -> None:
    module, _, function = name.partition(":")
    imported = importlib.import_module(module)
    if function:
        getattr(imported, function)()


def settle() -> None:
    """Prepare for forks: what is never looked at again by the garbage collector is never copied for a child."""
    gc.collect()
    gc.freeze()
    if sys.platform == "linux":
        ctypes.CDLL(None).malloc_trim(0)


def name_process(name: str) -> None:
    """Have `ps` and `top` show this name: a fork has the command line of what it was forked from."""
    if sys.platform == "linux":
        with open("/proc/self/comm", "w", encoding="utf-8") as file:
            file.write(name)


def _fork_until_closed(connection: socket.socket) -> dict[str, Any] | None:
    """In a fork, return what is asked of it; in this process None, once the other side is closed."""
    starter = os.getppid()
    while True:
        message, descriptors, _, _ = socket.recv_fds(connection, LONGEST_MESSAGE, 1)
        if not message:
            return None
        middle = os.fork()
        if middle:
            os.close(descriptors[0])
            os.waitpid(middle, 0)
            continue
        middle = os.getpid()
        if os.fork():
            os._exit(0)
        asked: dict[str, Any] = json.loads(message)
        _become(asked, descriptors[0], middle, starter)
        connection.sendall(str(os.getpid()).encode())
        return asked


def _become(asked: dict[str, Any], log: int, middle: int, starter: int) -> None:
    """Be a child of the starter, which has asked to be given orphans, with the environment and the log of the part."""
    while os.getppid() == middle:
        time.sleep(0.001)
    leash.die_with_parent(starter, signal.SIGKILL)
    os.setsid()
    for stream in (1, 2):
        os.dup2(log, stream)
    os.close(log)
    os.environ.clear()
    os.environ.update(asked["environment"])
    tempfile.tempdir = None
    name_process(asked["name"])


if __name__ == "__main__":
    main()
