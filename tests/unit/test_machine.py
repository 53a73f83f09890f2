"""Which machine a process runs on: what the machine says of itself, or what it is told where that changes."""

from __future__ import annotations

import socket

import pytest

from settings.machine import machine_name


def test_a_machine_is_known_by_its_host_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ETAPPE_MACHINE", raising=False)
    assert machine_name().startswith(socket.gethostname()[:80])


def test_a_container_is_told_on_which_machine_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ETAPPE_MACHINE", "node-1")
    assert machine_name() == "node-1"


def test_a_name_that_is_too_long_to_keep_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ETAPPE_MACHINE", "n" * 200)
    assert len(machine_name()) == 100
