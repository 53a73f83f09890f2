"""What is typed to attach something: a file of this machine, or an address."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from domain.errors import InvalidInput
from operations.attach import NewFile


def is_address(text: str) -> bool:
    """Whether this is meant as an address on the web; whether it can be attached is the verb's to say."""
    return "://" in text


@contextmanager
def opened_file(path: Path, name: str = "") -> Iterator[NewFile]:
    """Give a file to attach. Raises InvalidInput for what is no plain file, OSError when it cannot be read."""
    if path.exists() and not path.is_file():
        raise InvalidInput(f"{path} is not a file; pack it first if it is a folder.")
    with path.open("rb") as content:
        yield NewFile(name or path.name, content)
