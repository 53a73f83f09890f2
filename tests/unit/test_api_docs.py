"""docs/api.md names every call of the API, and none that there is not."""

from __future__ import annotations

import re
from pathlib import Path

from models.database import Database
from settings import CHECKOUT, Settings
from web.api.application import create_api
from web.house import House

_CALL = re.compile(r"^\| `([A-Z]+) (/[^`]+)` \|", re.MULTILINE)


def test_every_call_is_in_the_table_once(tmp_path: Path) -> None:
    house = House(Settings.from_environment({"ETAPPE_HOME": str(tmp_path)}), Database("sqlite://"))
    described = create_api(house).openapi()["paths"]
    calls = [(method.upper(), path) for path, operations in described.items() for method in operations]
    told = _CALL.findall((CHECKOUT / "docs" / "api.md").read_text(encoding="utf-8"))
    assert sorted(told) == sorted(calls)
