"""docs/rules.md names, for every rule, the tests that prove it; each of them is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
PAGE = (CHECKOUT / "docs" / "rules.md").read_text(encoding="utf-8")
PROOFS = re.findall(r"`(tests/[\w/]+\.py)(?:::Test\w+)?(?:::(\w+))?`", PAGE)
ROWS = [line for line in PAGE.splitlines() if line.startswith("| ") and not line.startswith(("| rule", "| ---"))]


def test_every_proof_that_is_written_is_read() -> None:
    assert len(PROOFS) == PAGE.count("`tests/") > 0


@pytest.mark.parametrize(("file", "name"), sorted(set(PROOFS)))
def test_every_proof_is_there(file: str, name: str) -> None:
    text = (CHECKOUT / file).read_text(encoding="utf-8")
    assert re.search(rf"def {name}\b", text) if name else "def " in text


@pytest.mark.parametrize("row", ROWS)
def test_every_rule_has_a_proof(row: str) -> None:
    assert re.search(r"`tests/[\w/]+\.py", row), row
