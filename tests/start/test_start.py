"""`etappe start` as a newcomer runs it: comes up, says where everything is, ends with Ctrl-C, and starts again.

Real: the process, Prefect's server with its database, the worker, the pages. Ports come from the system.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # its stubs are a package of their own
import pytest

from cli.parts import WEB_PROCESSES

CHECKOUT = Path(__file__).resolve().parents[2]
PATIENCE = 180.0


@dataclass(frozen=True)
class Place:
    """Where one Etappe is to run."""

    home: Path
    web: int
    prefect: int
    smtp: int

    @property
    def options(self) -> list[str]:
        ports = ["--web-port", str(self.web), "--prefect-port", str(self.prefect), "--smtp-port", str(self.smtp)]
        return ["--home", str(self.home), *ports]

    def left_behind(self) -> list[psutil.Process]:
        """Every living process that was started for this home."""
        return [one for one in psutil.process_iter() if self._is_ours(one)]

    def forked(self) -> Counter[str]:
        """How many processes of each name were forked from the one that has imported everything."""
        return Counter(one.name() for one in self.left_behind() if "worker.preloaded" in one.cmdline())

    def _is_ours(self, process: psutil.Process) -> bool:
        try:
            if process.pid == os.getpid() or process.status() == psutil.STATUS_ZOMBIE:
                return False
            return str(self.home) in " ".join(process.cmdline()) or process.environ().get("ETAPPE_HOME") == str(
                self.home
            )
        except psutil.Error:
            return False


@pytest.fixture
def place(tmp_path: Path) -> Place:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(3)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        web, prefect, smtp = (one.getsockname()[1] for one in sockets)
    return Place(tmp_path / "home", web, prefect, smtp)


def outside() -> dict[str, str]:
    """The environment of somebody who has set nothing."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("ETAPPE_", "PREFECT_"))}


@contextmanager
def started(place: Place) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """Run `etappe start`; gives its process and the file that holds what it says."""
    said = place.home.parent / "said"
    with said.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "cli", "start", *place.options],
            cwd=CHECKOUT,
            env=outside(),
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )
    try:
        yield process, said
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(60)
        for left in place.left_behind():
            left.kill()


def await_welcome(process: subprocess.Popen[str], said: Path) -> str:
    """Wait until everything runs, and return what was said."""
    until = time.monotonic() + PATIENCE
    while "Ctrl-C ends all" not in said.read_text():
        assert process.poll() is None, said.read_text()
        assert time.monotonic() < until, said.read_text()
        time.sleep(0.1)
    return said.read_text()


def answer(url: str) -> int:
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=10) as response:
        return int(response.status)


def doctor(place: Place) -> list[dict[str, str]]:
    """What `etappe doctor` finds in another terminal, which is told the home alone."""
    done = subprocess.run(
        [sys.executable, "-m", "cli", "doctor", "--json"],
        cwd=CHECKOUT,
        env=outside() | {"ETAPPE_HOME": str(place.home)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return list(json.loads(done.stdout))


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


@pytest.mark.slow
def test_it_comes_up_ends_with_ctrl_c_and_starts_again(place: Place) -> None:
    for _ in range(2):
        with started(place) as (process, said):
            words = await_welcome(process, said)
            assert f"http://127.0.0.1:{place.prefect}/deployments/deployment/" in words
            assert f"http://127.0.0.1:{place.web}/mailbox" in words
            assert answer(f"http://127.0.0.1:{place.web}/healthz") == 200
            assert answer(f"http://127.0.0.1:{place.web}/mailbox") == 200
            assert answer(f"http://127.0.0.1:{place.prefect}/api/health") == 200
            pages = 1 + WEB_PROCESSES  # and the one that watches them
            others = {"etappe relay": 1, "etappe worker": 1, "etappe zygote": 1}
            assert place.forked() == {"etappe web page": pages, **others}
            levels = {finding["check"]: (finding["level"], finding["sentence"]) for finding in doctor(place)}
            assert levels["pages"] == ("ok", f"answer at http://127.0.0.1:{place.web}")
            assert (levels["mail"][0], levels["Prefect"][0]) == ("ok", "ok"), levels
            process.send_signal(signal.SIGINT)
            assert process.wait(60) == 0, said.read_text()
            assert place.left_behind() == []
            assert all(is_free(port) for port in (place.web, place.prefect, place.smtp))
    assert (place.home / "secret-key").stat().st_mode & 0o777 == 0o600


def test_a_taken_port_is_one_sentence(place: Place) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", place.web))
        taken.listen()
        with started(place) as (process, said):
            assert process.wait(30) == 1
    assert said.read_text().count("\n") == 1
    assert f"Port {place.web}" in said.read_text()
    assert "--web-port" in said.read_text()
