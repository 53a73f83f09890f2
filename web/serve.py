"""Serves the pages on this machine until it is told to stop."""

from __future__ import annotations

import logging
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Literal

import uvicorn
from fastapi import FastAPI

from domain.errors import PortTaken
from models.database import Database
from settings import DEFAULT_WEB_PORT, Settings
from web.app import create_app
from web.masking import MaskTokens

HOST = "127.0.0.1"
GRACE_SECONDS = 5
HTTP: Literal["h11"] = "h11"
"""What reads HTTP, also where something faster is installed: h11 has an end to headers (docs/performance.md)."""

AT_A_TIME, WAITING = 1, 2048
"""How many connections a process takes at a time, and how many may wait to be taken."""


@contextmanager
def listening(
    settings: Settings,
    *,
    host: str = HOST,
    port: int = DEFAULT_WEB_PORT,
    prefect_ui_url: str = "",
    access_log: bool = False,
) -> Iterator[Callable[[], None]]:
    """Take an IPv4 address of this machine, and give what serves the pages there: until SIGTERM or SIGINT, after which
    it lets requests that are under way finish, and returns.

    Nothing has begun by then, so the process may still be forked. Raises PortTaken.
    """
    with bound(host, port) as listener:
        database = Database(settings.database_url)
        server = Server(config(settings, database, prefect_ui_url, access_log=access_log))
        _mask_logs()
        _return_when_told_to_stop(server)
        try:
            yield lambda: server.run(sockets=[listener])
        finally:
            database.close()


class Server(uvicorn.Server):
    """Takes one connection at a time, so that processes that share a listener also share what comes at once.

    asyncio takes as many as may wait, one process all of them before another one has looked.
    """

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to take connections; from then on, as many may wait as with uvicorn itself."""
        await super().startup(sockets)
        for listener in sockets or ():
            listener.listen(WAITING)


def prepare() -> None:
    """Import now what uvicorn would when it is started."""
    nothing = uvicorn.Config(FastAPI(), http=HTTP, lifespan="off", log_config=None)
    nothing.get_loop_factory()
    nothing.load()


def bound(host: str, port: int) -> socket.socket:
    """Take an IPv4 address of this machine. Raises PortTaken.

    Where the protocol is not named, asyncio leaves TCP_NODELAY off for whoever connects: each answer but the first on a
    kept connection then waits 40 ms for its first part to be acknowledged (https://github.com/Kludex/uvicorn/issues/3149).
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as refused:
        listener.close()
        raise PortTaken(port, "web page", "--web-port") from refused
    return listener


def config(
    settings: Settings, database: Database, prefect_ui_url: str = "", *, access_log: bool = False
) -> uvicorn.Config:
    """Return what serves the pages and how, as uvicorn has it."""
    app = create_app(settings, database, prefect_ui_url=prefect_ui_url)
    return uvicorn.Config(
        app,
        http=HTTP,
        log_level="info" if access_log else "warning",
        access_log=access_log,
        server_header=False,
        lifespan="off",
        timeout_graceful_shutdown=GRACE_SECONDS,
        backlog=AT_A_TIME,
    )


def _mask_logs() -> None:
    mask = MaskTokens()
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "uvicorn.asgi"):
        logging.getLogger(name).addFilter(mask)


def _return_when_told_to_stop(server: uvicorn.Server) -> None:
    """Once it has ended, uvicorn raises the signal again for whoever listened before it; here, that is nobody."""

    def told_to_stop(number: int, frame: FrameType | None) -> None:
        server.should_exit = True

    signal.signal(signal.SIGTERM, told_to_stop)
    signal.signal(signal.SIGINT, told_to_stop)
