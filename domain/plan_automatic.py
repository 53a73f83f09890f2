"""Gates that settle themselves: that what they look at can be looked at, and that nobody is told what cannot happen.

Part of the plan check. Paths are relative to the gate.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import time
from urllib.parse import urlsplit

from domain.deadlines import check_calendar
from domain.nearest import suggestion
from domain.plan import (
    CheckGate,
    FromInput,
    Gate,
    InputKind,
    MeasurementGate,
    Plan,
    Recycle,
    Stage,
    WindowGate,
    asks_nobody,
)
from domain.window import ever_opens

Path = tuple[str | int, ...]
Finding = tuple[Path, str]

_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\]", re.ASCII | re.IGNORECASE)
_LONGEST_HOST = 200
_PRINTABLE = re.compile(r"[!-~]+", re.ASCII)
_ONE_SELECT = re.compile(r"\s*(select|with)\b", re.ASCII | re.IGNORECASE)


def nobody_asked(plan: Plan, stage: Stage, gate: Gate) -> Iterator[Finding]:
    """Find reminders and replacements where nobody is asked."""
    if not asks_nobody(gate):
        return
    if gate.remind:
        yield ("remind",), "nobody is asked here, so nobody can be reminded; leave it out, or write “escalate:”"
    for e, step in enumerate(gate.escalate):
        if step.replace:
            yield ("escalate", e, "replace"), "nobody is asked here, so nobody can be replaced; leave it out"


def window(plan: Plan, stage: Stage, gate: Gate) -> Iterator[Finding]:
    """Find windows that are always open, never open, or whose hours are none."""
    if not isinstance(gate, WindowGate):
        return
    if isinstance(gate.on_reject, Recycle):
        yield ("on_reject",), "going back does not open a window; write hold or kill"
    yield from ((("weekdays", n), f"“{day}” is named twice; keep one") for n, day in enumerate(gate.weekdays)
                if day in gate.weekdays[:n])  # fmt: skip
    if not (gate.dates or gate.weekdays or gate.hours or gate.business_days or gate.freezes):
        yield (), "this window is always open; write dates, weekdays, hours, business_days or freezes"
    elif gate.hours and (wrong := _hours_problem(gate.hours)):
        yield ("hours",), wrong
    elif not check_calendar(plan.calendar) and not ever_opens(gate, plan.calendar):
        yield (), "this window never opens: no day is left by its dates, weekdays, hours, business_days and freezes"


def _hours_problem(hours: str) -> str | None:
    begin, _, end = hours.partition("-")
    if end.startswith("24:") and end != "24:00":
        return f"“{end}” is no time of the day; the last one is 24:00"
    if end != "24:00" and time.fromisoformat(begin) == time.fromisoformat(end):
        return "these hours begin when they end; leave them out for the whole day"
    return None


def check(plan: Plan, stage: Stage, gate: Gate) -> Iterator[Finding]:
    """Find addresses that cannot be asked, and keys that only matter when Etappe asks."""
    if not isinstance(gate, CheckGate):
        return
    if gate.asks and (wrong := address_problem(gate.asks)):
        yield ("asks",), wrong
    if gate.signed_with:
        for key in ("every", "timeout_seconds", "tries"):
            if key in gate.model_fields_set:
                yield (key,), "this is only used with “asks”; leave it out, because the other system calls by itself"


def address_problem(address: str) -> str | None:
    """Return why an https address cannot be asked, or None when it can."""
    if not _PRINTABLE.fullmatch(address):
        return "an address holds no blanks, and other letters than a to z in their encoded form (xn--..., %C3%A4)"
    parts = urlsplit(address)
    if "@" in parts.netloc:
        return (
            "an address holds no user and no password, because every reader of the plan would see them; leave them out"
        )
    host, port = parts.netloc, ""
    if not host.endswith("]") and ":" in host:
        host, _, port = host.rpartition(":")
        if not port.isdigit() or not 1 <= int(port) <= 65535:
            return f"“{port}” is not a port; write a number, as in https://ci.example.com:8443/status"
    if not _HOST.fullmatch(host) or len(host) > _LONGEST_HOST:
        return "the name of the host is missing or broken; write it like https://ci.example.com/status"
    return "the part after “#” never leaves a browser; leave it out" if parts.fragment else None


def measurement(plan: Plan, stage: Stage, gate: Gate) -> Iterator[Finding]:
    """Find targets that no input gives, and queries that are not one SELECT."""
    if not isinstance(gate, MeasurementGate):
        return
    for key in ("at_least", "at_most"):
        target = getattr(gate, key)
        if isinstance(target, FromInput) and (wrong := _target_problem(plan, target.input)):
            yield (key, "input"), wrong
    if gate.queried is None:
        return
    if "measured_by" in gate.model_fields_set:
        yield ("measured_by",), "the value is queried, so nobody is asked for it; leave out this or “queried”"
    if wrong := _query_problem(gate.queried.query):
        yield ("queried", "query"), wrong


def _target_problem(plan: Plan, name: str) -> str | None:
    numbers = [key for key, asked in plan.inputs.items() if asked.kind is InputKind.NUMBER]
    if name not in numbers:
        guess = (
            suggestion(name, numbers) if numbers else f"; add “{name}: {{kind: number, required: true}}” to the inputs"
        )
        return f"the plan does not ask for a number called “{name}”{guess}"
    asked = plan.inputs[name]
    if not asked.required and asked.default is None:
        return (
            f"“{name}” may be missing, and there would be no target; write “required: true” or a default at the input"
        )
    return None


def _query_problem(query: str) -> str | None:
    if not _ONE_SELECT.match(query):
        return "a query only reads; begin it with SELECT or WITH"
    if ";" in query:
        return "a query is one statement; leave out the “;”"
    return None
