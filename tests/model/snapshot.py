"""All that is stored of all rollouts, read by plain SQL: the walk is judged by what stands in the database."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import text

from models.database import Database

TABLES = ("rollouts", "stages", "gates", "requests", "links", "decisions", "lapses", "audit_entries", "messages",
          "conditions", "delegations", "absences", "claims", "measurements", "attachments")  # fmt: skip
_JSON = {"requirements", "stand_ins", "approvers", "facts", "inputs", "pinned", "settled_because", "people", "because"}

Row = dict[str, Any]


@dataclass
class Snapshot:
    """Every row of every table that matters, as plain dicts with JSON read."""

    rows: dict[str, list[Row]] = field(default_factory=dict)

    @classmethod
    def of(cls, db: Database) -> Snapshot:
        """Read everything."""
        with db.read() as session:
            return cls({table: [_plain(row._mapping) for row in session.execute(text(f"SELECT * FROM {table}"))]
                        for table in TABLES})  # fmt: skip

    def __getattr__(self, table: str) -> list[Row]:
        try:
            return self.rows[table]
        except KeyError:
            raise AttributeError(table) from None

    def current_gates(self) -> list[Row]:
        """The gates of every rollout in their newest round."""
        return [gate for gate in self.rows["gates"] if gate["current"]]

    def standing(self, gate: Row) -> dict[str, Row]:
        """Each voice's last word at a gate that has not lapsed."""
        lapsed = {lapse["decision_id"] for lapse in self.rows["lapses"]}
        words = sorted(
            (one for one in self.rows["decisions"] if one["gate_id"] == gate["id"]), key=lambda one: one["id"]
        )
        return {one["on_behalf_of"] or one["person"]: one for one in words if one["id"] not in lapsed}


def _plain(row: Any) -> Row:
    return {key: json.loads(value) if key in _JSON and isinstance(value, str) else value for key, value in row.items()}
