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
from pathlib import Path

import pytest

from domain.errors import PortTaken
from settings import CHECKOUT, Settings
from tests.fakes_operations import TOKEN
from web.serve import serve

SERVE = "import sys; from settings import Settings; from web.serve import serve; \
serve(Settings.from_environment(), port=int(sys.argv[1]), access_log=True)"


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def wait_until_up(port: int) -> None:
    """Wait until the server answers."""
    for _ in range(200):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise AssertionError("the server did not come up")


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_the_server_ends_cleanly_and_its_log_shows_no_token(tmp_path: Path, ending: signal.Signals) -> None:
    port = free_port()
    environment = {**os.environ, "ETAPPE_HOME": str(tmp_path)}
    command = [sys.executable, "-c", SERVE, str(port)]
    with subprocess.Popen(
        command, cwd=CHECKOUT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as server:
        wait_until_up(port)
        with pytest.raises(urllib.error.HTTPError):  # there is no database, so this also logs a failure
            urllib.request.urlopen(f"http://127.0.0.1:{port}/decide/{TOKEN}")
        server.send_signal(ending)
        log, _ = server.communicate(timeout=20)
    assert server.returncode == 0
    assert "/decide/…" in log
    assert TOKEN not in log


def test_a_port_that_is_taken_is_one_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, pytest.raises(PortTaken, match="already taken by another"):
        serve(Settings.from_environment({"ETAPPE_HOME": str(tmp_path)}), port=listener.getsockname()[1])
