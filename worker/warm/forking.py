"""The worker's side of the zygote (worker/warm/zygote.py): asks it for children, and hears how each has ended."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from prefect.logging import get_logger

from worker.warm import in_advance
from worker.warm.zygote import LONGEST_MESSAGE, sockets

log = get_logger("etappe.warm")


class ZygoteGone(Exception):
    """The process that flow runs are forked from has ended, and its children with it."""


@dataclass
class Child:
    """A forked flow run. `returncode` is None while it runs; minus the number of a signal that killed it."""

    pid: int
    returncode: int | None = None
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    def end(self, code: int) -> None:
        """Take note of its end."""
        self.returncode = code
        self.ended.set()


class Zygote:
    """One zygote, started when the first child is asked for or before, and again after it has died."""

    def __init__(self, folder: Path) -> None:
        """`folder` is where the flows are, and where the zygote runs."""
        self._folder = folder
        self._connection: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | in_advance.Forked | None = None
        self._listener: asyncio.Task[None] | None = None
        self._numbers = itertools.count()
        self._asked: dict[int, asyncio.Future[int]] = {}
        self._children: dict[int, Child] = {}
        self._starting = asyncio.Lock()

    @property
    def pid(self) -> int | None:
        """Its process, None before it was started."""
        return self._process.pid if self._process else None

    async def start(self) -> None:
        """Start it unless it runs. It is asked at once, and answers when it has imported everything."""
        async with self._starting:
            if self._connection is not None:
                return
            if forked := in_advance.take(self._folder):
                self._process, self._connection = forked, forked.connection
            else:
                self._process, self._connection = self._started()
            self._listener = asyncio.create_task(self._listen(self._connection))

    def _started(self) -> tuple[subprocess.Popen[bytes], socket.socket]:
        ours, its = sockets()
        with its:
            process = subprocess.Popen(
                [sys.executable, "-m", "worker.warm.zygote", str(its.fileno())],
                cwd=self._folder,
                env={**os.environ, **in_advance.environment()},
                pass_fds=[its.fileno()],
                stdin=subprocess.DEVNULL,
            )
        return process, ours

    async def stop(self) -> None:
        """End it, and with it whatever child still runs."""
        if self._connection is None or self._listener is None or self._process is None:
            return
        self._connection.shutdown(socket.SHUT_RDWR)
        await self._listener

    async def fork(self, wanted: Mapping[str, Any]) -> Child:
        """Fork a child that does what is wanted (see worker/warm/child.py). Raises ZygoteGone and OSError."""
        await self.start()
        assert self._connection is not None
        number = next(self._numbers)
        answer = self._asked[number] = asyncio.get_running_loop().create_future()
        message = json.dumps({**wanted, "number": number}).encode()
        try:
            await asyncio.get_running_loop().sock_sendall(self._connection, message)
            return self._children[await answer]
        finally:
            self._asked.pop(number, None)

    async def _listen(self, connection: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        try:
            while message := await loop.sock_recv(connection, LONGEST_MESSAGE):
                self._hear(json.loads(message))
        except OSError as error:
            log.warning("the connection to the process that flow runs are forked from is broken: %s", error)
        finally:
            connection.close()
            self._connection = None
            self._give_up()
            if self._process is not None:
                await asyncio.to_thread(self._process.wait)

    def _hear(self, told: dict[str, Any]) -> None:
        if "pid" in told:
            self._children[told["pid"]] = Child(told["pid"])
            if answer := self._asked.get(told["number"]):
                answer.set_result(told["pid"])
        elif "ended" in told and (child := self._children.pop(told["ended"], None)):
            child.end(told["code"])

    def _give_up(self) -> None:
        for answer in self._asked.values():
            if not answer.done():
                answer.set_exception(ZygoteGone())
        for child in self._children.values():
            child.end(-9)
        self._asked.clear()
        self._children.clear()
