"""Noticing that a file is written to: at once, each time, and not without a reason."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import pytest

from models.file_watch import FileWatch

linux = pytest.mark.skipif(sys.platform != "linux", reason="the system does not tell")


@linux
def test_what_is_written_is_noticed_once(tmp_path: Path) -> None:
    file = tmp_path / "log"
    file.write_text("a")
    watch = FileWatch(str(file))
    assert watch.works
    assert not watch.wait(0.01)
    file.write_text("b")
    assert watch.wait(10)
    assert not watch.wait(0.01)
    watch.close()


@linux
def test_whoever_waits_is_woken(tmp_path: Path) -> None:
    file = tmp_path / "log"
    file.touch()
    watch, noticed = FileWatch(str(file)), threading.Event()

    def wait() -> None:
        if watch.wait(60):
            noticed.set()

    waiting = threading.Thread(target=wait)
    waiting.start()
    file.write_text("a")
    assert noticed.wait(10)
    waiting.join()
    watch.close()


def test_where_the_system_does_not_tell_nothing_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "log"
    file.touch()
    monkeypatch.setattr("ctypes.CDLL", lambda _: object())
    watch = FileWatch(str(file))
    assert not watch.works
    file.write_text("a")
    assert not watch.wait(0.01)
    watch.close()


def test_a_file_that_is_not_there_is_not_watched(tmp_path: Path) -> None:
    watch = FileWatch(str(tmp_path / "nothing"))
    assert not watch.works
    assert not watch.wait(0.01)
    watch.close()
