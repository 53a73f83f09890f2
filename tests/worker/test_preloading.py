"""Parts that are forked from one process that has imported what they use: each is a process of its own all the same."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]  # its stubs are a package of their own
import pytest

from worker.parts import Crew, Part, PartFailed
from worker.preloading import is_possible

pytestmark = pytest.mark.skipif(not is_possible(), reason="only Linux gives orphans to an ancestor that asks for them")
CHECKOUT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 30

HEAVY = """
import os
with open(os.environ["STORY"], "a") as story:
    story.write(f"imported by {os.getpid()}\\n")
prepared = False
def prepare():
    global prepared
    prepared = True
"""
PROGRAM = """
import json, os, signal, sys, time
import heavy
facts = {"pid": os.getpid(), "parent": os.getppid(), "session": os.getsid(0), "said": os.environ["SAID"],
         "arguments": sys.argv[1:], "prepared": heavy.prepared, "leaked": os.environ.get("ONLY_ONE", "")}
print("a line of the log", flush=True)
if "stays" in sys.argv:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
with open(os.environ["FACTS"], "w") as file:
    json.dump(facts, file)
if "fails" in sys.argv:
    sys.exit(3)
time.sleep(60)
"""


class Programs:
    """Parts that run a program in a folder of their own; it imports a module that says when it is imported."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.story = folder, folder / "story"
        self.story.touch()
        (folder / "heavy.py").write_text(HEAVY)
        (folder / "program.py").write_text(PROGRAM)

    def part(self, name: str, *arguments: str, preload: tuple[str, ...] = ("heavy:prepare",), **more: str) -> Part:
        """A part that is ready when it has written its facts."""
        facts = self.folder / f"{name}.json"
        environment = {
            "PYTHONPATH": os.pathsep.join([str(self.folder), str(CHECKOUT)]),
            "STORY": str(self.story),
            "FACTS": str(facts),
            "SAID": name,
            **more,
        }
        command = [sys.executable, "-P", "-m", "program", *arguments]
        return Part(name, command, environment, ready=lambda: bool(self._read(facts)), preload=preload)

    def facts(self, name: str) -> dict[str, Any]:
        """What a part has found when it ran."""
        return dict(json.loads(self._read(self.folder / f"{name}.json")))

    def imports(self) -> list[str]:
        """Who has imported the module, one line each."""
        return self.story.read_text().splitlines()

    def _read(self, file: Path) -> str:
        return file.read_text() if file.exists() else ""


@pytest.fixture
def programs(tmp_path: Path) -> Programs:
    return Programs(tmp_path)


def eventually(holds: Callable[[], Any], what: str) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < until, what
        time.sleep(0.02)


def is_there(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def test_what_several_parts_use_is_imported_once_and_each_is_a_child_with_its_own_environment(
    programs: Programs, tmp_path: Path
) -> None:
    parts = [programs.part("one", "--first", ONLY_ONE="yes"), programs.part("two")]
    with Crew(tmp_path / "logs", forking=parts) as crew:
        for part in parts:
            crew.start(part)
        pids = crew.pids()
        for name, arguments, leaked in (("one", ["--first"], "yes"), ("two", [], "")):
            pid = pids[name]
            assert programs.facts(name) == {
                "pid": pid, "parent": os.getpid(), "session": pid, "said": name, "arguments": arguments,
                "prepared": True, "leaked": leaked,
            }  # fmt: skip
            assert (tmp_path / "logs" / f"{name}.log").read_text() == "a line of the log\n"
            assert psutil.Process(pid).name() == f"etappe {name}"
        assert len(programs.imports()) == 1
        assert [child.pid for child in psutil.Process().children() if child.pid in pids.values()] == [*pids.values()]
    assert not any(is_there(pid) for pid in pids.values())


def test_the_process_that_imported_is_gone_once_all_are_forked(programs: Programs, tmp_path: Path) -> None:
    part = programs.part("one")
    with Crew(tmp_path / "logs", forking=[part]) as crew:
        crew.start(part)
        [line] = programs.imports()
        assert not is_there(int(line.removeprefix("imported by ")))
        assert crew.failed() is None


def test_one_that_is_killed_takes_no_other_with_it(programs: Programs, tmp_path: Path) -> None:
    parts = [programs.part("one"), programs.part("two")]
    with Crew(tmp_path / "logs", forking=parts) as crew:
        crew.start(*parts)
        os.kill(crew.pids()["one"], 9)
        eventually(crew.failed, "the crew noticing it")
        failure = crew.failed()
        assert failure is not None
        assert failure.sentence.startswith("The one ended unexpectedly (SIGKILL)")
        assert is_there(crew.pids()["two"])


def test_one_that_does_not_end_in_time_is_killed_and_the_others_end_as_ever(programs: Programs, tmp_path: Path) -> None:
    stays = replace(programs.part("one", "stays"), stop_within=timedelta(seconds=0.2))
    parts = [programs.part("two"), stays]
    with Crew(tmp_path / "logs", forking=parts) as crew:
        crew.start(*parts)
        pids = crew.pids()
    assert not any(is_there(pid) for pid in pids.values())


def test_how_one_has_ended_is_told_with_its_last_lines(programs: Programs, tmp_path: Path) -> None:
    part = programs.part("one", "fails")
    (programs.folder / "program.py").write_text("print('why'); raise SystemExit(3)")
    with (
        Crew(tmp_path / "logs", forking=[part]) as crew,
        pytest.raises(PartFailed, match=r"ended unexpectedly \(exit code 3\)") as told,
    ):
        crew.start(part)
    assert told.value.last_lines == ["why"]


def test_where_something_cannot_be_imported_parts_are_started_anew(programs: Programs, tmp_path: Path) -> None:
    parts = [programs.part("one", preload=("nowhere_to_be_found",)), programs.part("two")]
    with Crew(tmp_path / "logs", forking=parts) as crew:
        crew.start(*parts)
        assert len(programs.imports()) == 2
        assert not programs.facts("one")["prepared"]
    assert "nowhere_to_be_found" in (tmp_path / "logs" / "preloaded.log").read_text()


def test_parts_that_share_nothing_are_started_as_ever(programs: Programs, tmp_path: Path) -> None:
    part = programs.part("one", preload=())
    with Crew(tmp_path / "logs", forking=[part]) as crew:
        crew.start(part)
        assert not programs.facts("one")["prepared"]
        assert not (tmp_path / "logs" / "preloaded.log").exists()


def test_nothing_outlives_a_starter_that_is_killed(programs: Programs, tmp_path: Path) -> None:
    script = (
        "import sys, time; sys.path.insert(0, sys.argv[1])\n"
        "from pathlib import Path\n"
        "from tests.worker.test_preloading import Programs\n"
        "from worker.parts import Crew\n"
        "programs = Programs(Path(sys.argv[2]))\n"
        "parts = [programs.part('one'), programs.part('two')]\n"
        "crew = Crew(Path(sys.argv[2]) / 'logs', forking=parts)\n"
        "crew.start(parts[0])\n"
        "print(crew.pids()['one'], crew._preloaded._process.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    command = [sys.executable, "-c", script, str(CHECKOUT), str(tmp_path)]
    with subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True) as starter:
        assert starter.stdout is not None
        pids = [int(pid) for pid in starter.stdout.readline().split()]
        assert [is_there(pid) for pid in pids] == [True, True]
        starter.kill()
    eventually(lambda: not any(is_there(pid) for pid in pids), "all being gone with the starter")
