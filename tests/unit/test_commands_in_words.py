"""A command that a mail names can be copied into a shell as it stands."""

from __future__ import annotations

import re
import shlex

import pytest

from notifications.language import catalogue

WORDS = [text for pair in catalogue("de").items() for text in pair]
COMMANDS = [found[0] for text in WORDS if (found := re.search(r"\betappe (rollout|gate|measure|people)\b.*", text))]


def test_there_are_such_commands() -> None:
    assert len(COMMANDS) >= 6


@pytest.mark.parametrize("command", COMMANDS)
def test_a_reason_is_one_word_to_the_shell(command: str) -> None:
    words = shlex.split(command)
    if "--reason" in words:
        assert words.index("--reason") == len(words) - 2
    assert not set(command) & set("“”«»„’")
