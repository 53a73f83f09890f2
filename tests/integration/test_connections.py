"""Connections that come at once: a process takes one after the other, so that others that share its port take some."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path

import pytest
import uvicorn

from models.database import Database
from settings import Settings
from tests.ports import free_port
from web.serve import Server, bound, config

AT_ONCE = 30
MOST_IN_A_ROUND = 2  # later versions of asyncio take one more than they are told


@pytest.fixture
def server(tmp_path: Path) -> Server:
    settings = Settings.from_environment({"ETAPPE_HOME": str(tmp_path), "ETAPPE_SECRET_KEYS": "k" * 32})
    return Server(config(settings, Database(f"sqlite:///{tmp_path}/etappe.db")))


def serving(server: Server, with_clients: Callable[[int], Awaitable[None]]) -> None:
    """Serve in this thread while a coroutine runs that is given the port."""

    async def together() -> None:
        with bound("127.0.0.1", free_port()) as listener:
            serves = asyncio.create_task(server.serve([listener]))
            while not server.started:
                await asyncio.sleep(0)
            await with_clients(listener.getsockname()[1])
            server.should_exit = True
            await serves

    asyncio.run(together())


def sockets(server: uvicorn.Server) -> list[socket.socket]:
    """The sockets of those that are connected."""
    return [one.transport.get_extra_info("socket") for one in server.server_state.connections]


def test_of_many_that_come_at_once_one_is_taken_at_a_time_and_none_is_refused(server: Server) -> None:
    async def come(port: int) -> None:
        with ExitStack() as clients:
            for _ in range(AT_ONCE):  # nobody takes one meanwhile: they wait
                clients.enter_context(socket.create_connection(("127.0.0.1", port), timeout=0.5))
            taken = [0]
            while taken[-1] < AT_ONCE:
                await asyncio.sleep(0)
                taken.append(len(server.server_state.connections))
            assert max(after - before for before, after in pairwise(taken)) <= MOST_IN_A_ROUND

    serving(server, come)


def test_no_answer_waits_for_its_first_part_to_be_acknowledged(server: Server) -> None:
    async def come(port: int) -> None:
        with socket.create_connection(("127.0.0.1", port), timeout=0.5):
            while not server.server_state.connections:
                await asyncio.sleep(0)
            assert [one.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) for one in sockets(server)] == [1]

    serving(server, come)
