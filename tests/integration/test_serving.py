"""The web server as a process: it listens on this machine alone, ends when it is told to, and logs no secrets."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # its stubs are a package of their own
import pytest

from domain.errors import PortTaken
from models import schema
from models.database import Database
from settings import CHECKOUT, Settings
from tests.fakes_operations import TOKEN
from tests.ports import free_port
from web.serve import listening


def get(port: int, path: str = "/healthz") -> int:
    """Ask for a page by a new connection; return the status."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        return refused.code


@contextmanager
def web(home: Path, *options: str) -> Iterator[tuple[int, subprocess.Popen[str]]]:
    """`etappe web` on an empty database, from its first answer on; its port, and the process."""
    port = free_port()
    environment = {**os.environ, "ETAPPE_HOME": str(home), "ETAPPE_DATABASE_URL": f"sqlite:///{home}/etappe.db"}
    db = Database(environment["ETAPPE_DATABASE_URL"])
    schema.upgrade(db)
    db.close()
    command = [sys.executable, "-m", "cli", "web", "--access-log", "--web-port", str(port), *options]
    with subprocess.Popen(
        command, cwd=CHECKOUT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            wait_until_up(port)
            yield port, process
        finally:
            process.kill()


def wait_until_up(port: int) -> None:
    """Wait until the server answers."""
    for _ in range(400):
        try:
            get(port)
            return
        except OSError:
            time.sleep(0.05)
    raise AssertionError("the server did not come up")


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_the_server_ends_cleanly_and_its_log_shows_no_token(tmp_path: Path, ending: signal.Signals) -> None:
    with web(tmp_path) as (port, server):
        assert get(port, f"/decide/{TOKEN}") == 404
        server.send_signal(ending)
        log, _ = server.communicate(timeout=20)
    assert server.returncode == 0
    assert "/decide/…" in log
    assert TOKEN not in log


def test_each_of_several_processes_answers_and_all_end_together(tmp_path: Path) -> None:
    with web(tmp_path, "--processes", "3") as (port, started):
        processes = psutil.Process(started.pid).children()
        assert len(processes) == 3
        for only in processes:
            others = [one for one in processes if one != only]
            for one in others:
                one.suspend()
            assert [get(port) for _ in range(3)] == [200, 200, 200]
            for one in others:
                one.resume()
        started.terminate()
        started.communicate(timeout=20)
        assert started.returncode == 0
        assert not any(one.is_running() for one in processes)
        with pytest.raises(OSError, match="refused"):
            get(port)


def send(connection: socket.socket, head: bytes, piece: bytes) -> None:
    """Send a request that does not come to its end, up to a megabyte of it."""
    connection.sendall(head)
    for _ in range(100):
        connection.sendall(piece * (10_000 // len(piece)))
        time.sleep(0.01)


CHUNKED = b"POST /decide/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param((b"GET /healthz HTTP/1.1\r\nHost: a\r\nX: ", b"a"), id="one header"),
        pytest.param((b"GET /healthz HTTP/1.1\r\nHost: a\r\n", b"a: b\r\n"), id="many headers"),
        pytest.param((CHUNKED + b"0\r\n", b"a: b\r\n"), id="many trailers"),
        pytest.param((CHUNKED + b"1;", b"a"), id="an extension of a chunk"),
    ],
)
def test_a_request_that_does_not_end_is_given_up_and_others_are_answered(
    tmp_path: Path, request_: tuple[bytes, bytes]
) -> None:
    with web(tmp_path) as (port, _), socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        with pytest.raises(ConnectionError):
            send(connection, *request_)
        assert get(port) == 200


def test_a_body_is_read_though_its_sender_offers_another_protocol(tmp_path: Path) -> None:
    """As Java's client does, and curl --http2."""
    head = "POST /decide/x HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
    body = "comment=kept%20for%20you"
    form = f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    with web(tmp_path) as (port, _), socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall((head + form).encode())
        answer = connection.recv(100_000).decode()
        while "</html>" not in answer:
            answer += connection.recv(100_000).decode()
    assert "kept for you" in answer


def test_a_port_that_is_taken_is_one_sentence(tmp_path: Path) -> None:
    settings = Settings.from_environment({"ETAPPE_HOME": str(tmp_path)})
    with (
        socket.create_server(("127.0.0.1", 0)) as other,
        pytest.raises(PortTaken, match="already taken by another"),
        listening(settings, port=other.getsockname()[1]),
    ):
        pass
