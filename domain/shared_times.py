"""Times that gates share: what a gate does not say, its stage says, and what that does not say, the plan says.

The nearest word counts, also “nothing”. It is filled in once, when a plan is read, so whoever asks a gate is told all.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from domain.durations import Rhythm
from domain.gate_kinds import Gate, ReviewGate, WindowGate, asks_nobody
from domain.gate_times import Escalation, Expiry

SHARED = ("remind", "escalate", "expires")
"""The keys of a gate that its stage and the plan may have as well."""


def handed_down(gate: Gate, times: Mapping[str, Any]) -> Gate:
    """Return a gate with the times it does not say itself, as far as they suit its kind. `times`: by the keys SHARED.

    A window waits by the calendar alone, so it takes none. Where nobody is asked, nobody is reminded or replaced. By
    when silence is consent is said at the gate itself, or not at all.
    """
    if isinstance(gate, WindowGate):
        return gate
    suited = {
        "remind": _remind(gate, times.get("remind")),
        "escalate": [_level(gate, level) for level in times.get("escalate") or []],
        "expires": _expires(gate, times.get("expires")),
    }
    taken = {key: value for key, value in suited.items() if value and key not in gate.model_fields_set}
    return gate.model_copy(update=taken) if taken else gate


def _remind(gate: Gate, rhythm: Rhythm | None) -> Rhythm | None:
    return None if asks_nobody(gate) else rhythm


def _level(gate: Gate, level: Escalation) -> Escalation:
    choices = level.choices if isinstance(gate, ReviewGate) else None
    return level.model_copy(update={"choices": choices, "replace": level.replace and not asks_nobody(gate)})


def _expires(gate: Gate, expires: Expiry | None) -> Expiry | None:
    """One that passes is refused by the plan check (domain/plan_consent.py)."""
    consents = getattr(gate, "silence_is_consent", False)
    return None if consents or (expires and expires.outcome == "pass") else expires
