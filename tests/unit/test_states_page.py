"""docs/states.md says what the tables say."""

from __future__ import annotations

from domain.states_page import page
from settings import CHECKOUT


def test_the_page_is_up_to_date() -> None:
    """Make it again with `python -m domain.states_page > docs/states.md`."""
    assert (CHECKOUT / "docs" / "states.md").read_text(encoding="utf-8") == page()
