"""The options of the walk."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("etappe")
    group.addoption("--seed", type=int, default=None, help="take this one walk")
    group.addoption("--walks", type=int, default=50, help="how many walks")
    group.addoption("--steps", type=int, default=400, help="how many steps each")
