"""TLS contexts made in advance: Prefect makes several for each flow run, and each reads some 140 certificates (18 ms).

Whoever asks gets one of their own with the same certificates, only sooner; when none is left, one is made as usual.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import Any

import certifi

USUALLY = 6
"""How many a flow run of a rollout makes."""

_made: list[ssl.SSLContext] = []
_make: Callable[..., ssl.SSLContext] = ssl.create_default_context


def make_in_advance() -> None:
    """Make as many as a flow run usually makes, and have `ssl.create_default_context` give them out."""
    _made.extend(_make(cafile=certifi.where()) for _ in range(USUALLY))
    ssl.create_default_context = _give_out


def _give_out(*arguments: Any, **options: Any) -> ssl.SSLContext:
    if _made and not arguments and options == {"cafile": certifi.where()}:
        return _made.pop()
    return _make(*arguments, **options)
