"""The parts of a running Etappe, seen one by one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from worker.parts import Crew, Part, PartFailed, _Running, together


class EndsBetweenTwoLooks:
    """A child process that has not ended when it is looked at first, and has ended well when it is looked at again."""

    def __init__(self) -> None:
        self._looks = 0
        self.returncode = 0

    def poll(self) -> int | None:
        """Say how it has ended."""
        self._looks += 1
        return None if self._looks == 1 else self.returncode


def test_a_part_may_finish_at_any_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "once.log"
    log.touch()

    def launch(crew: Any, part: Part) -> _Running:
        running = _Running(part, EndsBetweenTwoLooks(), log, 0)  # type: ignore[arg-type]  # the part of one that is used
        crew._running.append(running)
        return running

    monkeypatch.setattr(Crew, "_launch", launch)
    crew = Crew(tmp_path)
    crew.start(Part("once", ["true"], finishes=True))
    assert crew.failed() is None


def test_parts_beside_each_other_are_launched_before_any_of_them_is_waited_for(tmp_path: Path) -> None:
    """Each is ready only when it sees the other one, so neither may be waited for alone."""
    said: list[str] = []

    def part(name: str, other: str) -> Part:
        script = f"touch {tmp_path / name}; until [ -e {tmp_path / other} ]; do sleep 0.01; done"
        return Part(name, ["sh", "-c", script], finishes=True, beside=True)

    with Crew(tmp_path / "logs", say=said.append) as crew:
        crew.start(part("one", "two"), part("two", "one"))
        assert crew.failed() is None
    words = "".join(said)
    assert words.count("\n") == 2
    assert {line.split(" (")[0] for line in words.splitlines()} == {"one … done", "two … done"}


def test_one_that_fails_beside_another_is_told_and_both_are_ended(tmp_path: Path) -> None:
    waits = Part("waits", ["sleep", "60"], ready=lambda: False)
    with Crew(tmp_path / "logs") as crew:
        with pytest.raises(PartFailed, match="The fails ended unexpectedly"):
            crew.start(waits, Part("fails", ["false"], finishes=True, beside=True))
        [running] = [one for one in crew._running if one.part is waits]
    assert running.child.returncode is not None


def test_parts_start_in_groups_by_what_stands_beside_what() -> None:
    parts = [Part(name, [name], beside=name.islower()) for name in "AbcDEf"]
    groups = ["".join(part.name for part in group) for group in together(parts)]
    assert groups == ["Abc", "D", "Ef"]
