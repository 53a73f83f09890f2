"""The parts of a running Etappe, seen one by one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from worker.parts import Crew, Part, _Running


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
