"""Standing back while people are asked: not before it is over, and never for good."""

from __future__ import annotations

import threading
import time

import pytest

from worker import hurry
from worker.hurry import Hurry


def seconds(hurried: Hurry, stop: threading.Event) -> float:
    began = time.monotonic()
    hurried.wait_until_over(stop)
    return time.monotonic() - began


def test_nobody_waits_while_nobody_is_asked() -> None:
    never = threading.Event()
    assert seconds(Hurry(), never) < hurry.LULL_SECONDS


def test_whoever_stands_back_waits_until_the_last_was_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hurry, "LULL_SECONDS", 2.0)
    hurried, over = Hurry(), threading.Event()
    hurried.goes_on()

    def stand_back() -> None:
        hurried.wait_until_over(threading.Event())
        over.set()

    waiting = threading.Thread(target=stand_back)
    waiting.start()
    for _ in range(3):
        time.sleep(0.1)
        hurried.goes_on()
        assert not over.is_set()
    assert over.wait(30)
    waiting.join()


def test_it_ends_although_more_and_more_are_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hurry, "LULL_SECONDS", 60.0)
    monkeypatch.setattr(hurry, "AT_MOST_SECONDS", 0.1)
    hurried = Hurry()
    hurried.goes_on()
    assert 0.1 <= seconds(hurried, threading.Event()) < 30


def test_it_ends_when_it_is_time_to_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hurry, "LULL_SECONDS", 60.0)
    monkeypatch.setattr(hurry, "AT_MOST_SECONDS", 60.0)
    hurried, stop = Hurry(), threading.Event()
    hurried.goes_on()
    stop.set()
    assert seconds(hurried, stop) < 30


def test_the_more_are_asked_the_longer_it_is_waited_for_another(monkeypatch: pytest.MonkeyPatch) -> None:
    moment = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: moment)
    alone, several = Hurry(), Hurry()
    alone.goes_on()
    for _ in range(2 * hurry.MOST_LULLS):
        several.goes_on()
    moment += 1.5 * hurry.LULL_SECONDS
    assert (alone.lasts(), several.lasts()) == (False, True)
    moment += hurry.MOST_LULLS * hurry.LULL_SECONDS
    assert not several.lasts()
    moment += hurry.PAUSE_SECONDS
    several.goes_on()
    moment += 1.5 * hurry.LULL_SECONDS
    assert not several.lasts(), "after a pause it begins anew"


def test_one_after_the_other_need_not_come_within_a_lull(monkeypatch: pytest.MonkeyPatch) -> None:
    moment = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: moment)
    hurried = Hurry()
    for _ in range(3):
        hurried.goes_on()
        moment += 0.9 * hurry.PAUSE_SECONDS
    hurried.goes_on()
    moment += 3.5 * hurry.LULL_SECONDS
    assert hurried.lasts()


def test_it_lasts_while_asking_takes_long(monkeypatch: pytest.MonkeyPatch) -> None:
    moment = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: moment)
    hurried = Hurry()
    with hurried.asking():
        moment += 10 * hurry.PAUSE_SECONDS
        assert hurried.lasts()
    moment += 0.5 * hurry.LULL_SECONDS
    assert hurried.lasts(), "for a moment after it"
    moment += hurry.LULL_SECONDS
    assert not hurried.lasts()


def test_it_does_not_last_for_ever_when_asking_fails() -> None:
    hurried = Hurry()
    with pytest.raises(OSError), hurried.asking():
        raise OSError
    assert seconds(hurried, threading.Event()) < hurry.AT_MOST_SECONDS / 2
