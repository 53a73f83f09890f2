"""How people are called where others read of them: by their names in the directory. Read only."""

from __future__ import annotations

from collections.abc import Iterable

from notifications.facts import Reader
from operations.directory import readers
from operations.workspace import Workspace


def look_up(ws: Workspace, addresses: Iterable[str]) -> None:
    """Read at once how to write to all of these, instead of one by one when they are named."""
    if unknown := set(addresses) - ws.readers.keys():
        ws.readers |= readers(ws.session, unknown, ws.rollout, ws.plan.calendar.time_zone)


def reader_of(ws: Workspace, address: str) -> Reader:
    """Return how to write to an address."""
    look_up(ws, [address])
    return ws.readers[address]


def name_of(ws: Workspace, address: str) -> str:
    """Return somebody's name; the address itself when the directory has none."""
    return reader_of(ws, address).name


def names_of(ws: Workspace, addresses: Iterable[str]) -> str:
    """Return the names of these people in their order, one who is there twice once; "" for nobody."""
    people = dict.fromkeys(addresses)
    look_up(ws, people)
    return ", ".join(name_of(ws, address) for address in people)
