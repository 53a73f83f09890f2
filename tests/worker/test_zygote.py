"""The process that flow runs are forked from: children are isolated, code is reloaded, and nothing is left behind.

Without a Prefect server: a child asks the API that it is told of for its flow run, and here nobody answers, so that it
runs until something ends it.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import psutil  # type: ignore[import-untyped]  # its stubs are a package of their own
import pytest

from worker.warm.forking import Child, Zygote, ZygoteGone

CHECKOUT = Path(__file__).resolve().parents[2]
Result = TypeVar("Result")
PATIENCE_SECONDS = 60
NOBODYS_RUN = "11111111-2222-3333-4444-555555555555"


class SilentApi:
    """Takes requests and never answers."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._socket.settimeout(PATIENCE_SECONDS)
        self._taken: list[socket.socket] = []
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/api"

    def asked(self) -> str:
        """Wait for a request, and return its first line."""
        connection, _ = self._socket.accept()
        self._taken.append(connection)
        return connection.recv(65536).decode().splitlines()[0]

    def close(self) -> None:
        """Take nothing any longer."""
        for each in (*self._taken, self._socket):
            each.close()


class Warm:
    """A zygote in a folder with flows of its own, and the loop that listens to it."""

    def __init__(self, folder: Path, api: SilentApi) -> None:
        self.folder, self.api = folder, api
        self.imported = folder / "imported.txt"
        (folder / "flows").mkdir()
        (folder / "flows" / "__init__.py").touch()
        self.write("first")
        self._loop = asyncio.new_event_loop()
        self.zygote = Zygote(folder)

    def write(self, says: str) -> None:
        """Have the flows, when they are imported, say so in a file."""
        code = f"with open({str(self.imported)!r}, 'a') as file:\n    file.write({says!r} + '\\n')\n"
        (self.folder / "flows" / "story.py").write_text(code)

    def imports(self) -> list[str]:
        """What the flows have said when they were imported."""
        return self.imported.read_text().split()

    def wait(self, awaitable: Awaitable[Result]) -> Result:
        """Let the loop run until something has come."""
        return self._loop.run_until_complete(asyncio.wait_for(awaitable, PATIENCE_SECONDS))

    def fork(self, flow_run_id: str = NOBODYS_RUN, **more: str) -> Child:
        """Fork a child that asks the API for its flow run, and waits for the answer."""
        environment = {**os.environ, "PREFECT_API_URL": self.api.url, "PREFECT__FLOW_RUN_ID": flow_run_id, **more}
        wanted = {"environment": environment, "folder": str(self.folder), "interest": True}
        return self.wait(self.zygote.fork(wanted))

    def at_work(self) -> Child:
        """Fork a child, and wait until it asks for its flow run."""
        child = self.fork()
        self.api.asked()
        return child

    def close(self) -> None:
        """End it all."""
        self.wait(self.zygote.stop())
        self._loop.close()


@pytest.fixture(scope="module")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warm]:
    api = SilentApi()
    warm = Warm(tmp_path_factory.mktemp("checkout"), api)
    yield warm
    warm.close()
    api.close()


def is_there(pid: int) -> bool:
    """Whether a process is there and not just waited for by nobody."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def eventually(holds: Callable[[], Any], what: str) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < until, what
        time.sleep(0.02)


def test_a_child_is_the_process_of_its_flow_run(warm: Warm) -> None:
    child = warm.fork("aaaaaaaa-2222-3333-4444-555555555555")
    assert warm.api.asked().startswith("GET /api/flow_runs/aaaaaaaa-2222-3333-4444-555555555555 ")
    assert os.getpgid(child.pid) == child.pid
    os.kill(child.pid, 9)
    warm.wait(child.ended.wait())


def test_what_children_are_forked_from_has_one_thread_and_one_socket_to_the_worker(warm: Warm) -> None:
    child = warm.at_work()
    zygote = psutil.Process(warm.zygote.pid)
    assert zygote.num_threads() == 1
    assert zygote.net_connections() == []
    assert len(zygote.net_connections("unix")) == 3  # one to the worker, and the pair by which a signal wakes it
    os.kill(child.pid, 9)
    warm.wait(child.ended.wait())


def test_one_that_is_killed_takes_nothing_with_it(warm: Warm) -> None:
    killed, other = warm.at_work(), warm.at_work()
    os.kill(killed.pid, 9)
    warm.wait(killed.ended.wait())
    assert killed.returncode == -9
    assert is_there(other.pid)
    assert other.returncode is None
    os.kill(other.pid, 15)
    warm.wait(other.ended.wait())
    assert other.returncode not in (None, 0)


def test_an_exit_code_is_that_of_a_process_of_its_own(warm: Warm) -> None:
    child = warm.fork("no id at all")
    warm.wait(child.ended.wait())
    assert child.returncode == 1


def test_changed_code_is_imported_again_before_the_next_one_and_who_runs_runs_on(warm: Warm) -> None:
    running, pid = warm.at_work(), warm.zygote.pid
    assert warm.imports() == ["first"]
    warm.write("second")
    later = warm.at_work()
    assert warm.imports() == ["first", "second"]
    assert warm.zygote.pid == pid
    for child in (running, later):
        assert child.returncode is None
        os.kill(child.pid, 9)
        warm.wait(child.ended.wait())
        assert child.returncode == -9


def test_code_that_cannot_be_imported_is_left_to_the_flow_run_until_it_is_mended(warm: Warm) -> None:
    story = warm.folder / "flows" / "story.py"
    story.write_text("this is no Python")
    broken = warm.at_work()
    warm.write("mended")
    child = warm.at_work()
    assert warm.imports()[-1] == "mended"
    for each in (broken, child):
        os.kill(each.pid, 9)
        warm.wait(each.ended.wait())


def test_when_it_is_killed_its_children_are_told_as_killed_and_the_next_one_starts_another(warm: Warm) -> None:
    child, before = warm.at_work(), warm.zygote.pid
    assert before is not None
    os.kill(before, 9)
    warm.wait(child.ended.wait())
    assert child.returncode == -9
    eventually(lambda: not is_there(child.pid), "the child being gone with it")
    another = warm.at_work()
    assert warm.zygote.pid != before
    os.kill(another.pid, 9)
    warm.wait(another.ended.wait())


def test_what_is_asked_while_it_dies_is_refused(warm: Warm) -> None:
    async def ask_and_kill() -> None:
        asking = asyncio.ensure_future(warm.zygote.fork({"environment": {}, "folder": "/nowhere", "interest": True}))
        os.kill(warm.zygote.pid or 0, 9)
        await asking

    psutil.Process(warm.zygote.pid).suspend()
    with pytest.raises((ZygoteGone, OSError)):
        warm.wait(ask_and_kill())


def test_nothing_outlives_a_worker_that_is_killed(tmp_path: Path) -> None:
    """A worker that has no time to end anything: a process with a zygote and a child, killed."""
    api = SilentApi()
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows" / "__init__.py").touch()
    wanted = {
        "environment": {**os.environ, "PREFECT_API_URL": api.url, "PREFECT__FLOW_RUN_ID": NOBODYS_RUN},
        "folder": str(tmp_path),
        "interest": True,
    }
    script = (
        "import asyncio, json, pathlib, sys\n"
        "from worker.warm.forking import Zygote\n"
        "async def main():\n"
        f"    zygote = Zygote(pathlib.Path({str(tmp_path)!r}))\n"
        "    child = await zygote.fork(json.loads(sys.stdin.read()))\n"
        "    print(zygote.pid, child.pid, flush=True)\n"
        "    await asyncio.sleep(600)\n"
        "asyncio.run(main())\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], cwd=CHECKOUT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as worker:
        assert worker.stdin is not None and worker.stdout is not None
        worker.stdin.write(json.dumps(wanted))
        worker.stdin.close()
        pids = [int(pid) for pid in worker.stdout.readline().split()]
        api.asked()
        assert all(is_there(pid) for pid in pids)
        worker.kill()
    eventually(lambda: not any(is_there(pid) for pid in pids), "all being gone with the worker")
    api.close()
