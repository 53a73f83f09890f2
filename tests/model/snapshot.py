"""All that is stored of all rollouts, read by plain SQL: the walk is judged by what stands in the database."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from models.database import Database

TABLES = ("rollouts", "stages", "gates", "requests", "links", "decisions", "lapses", "audit_entries", "messages",
          "conditions", "delegations", "absences", "claims", "measurements", "attachments")  # fmt: skip
_JSON = {"requirements", "stand_ins", "approvers", "facts", "inputs", "pinned", "settled_because", "people", "because"}

Row = dict[str, Any]


class Reader:
    """Reads all that is stored. A row that has not changed since it was last read is the same dict as then."""

    def __init__(self) -> None:
        self._known: dict[tuple[Any, ...], Row] = {}

    def __call__(self, db: Database) -> Snapshot:
        """Read everything."""
        known, self._known = self._known, {}
        with db.read() as session:
            connection = session.connection()
            return Snapshot({table: self._rows(connection, table, known) for table in TABLES})

    def _rows(self, connection: Connection, table: str, known: Mapping[tuple[Any, ...], Row]) -> list[Row]:
        found = connection.exec_driver_sql(f"SELECT * FROM {table}").cursor
        names, rows = [column[0] for column in found.description], []
        for values in found.fetchall():
            key = (table, *values)
            row = known.get(key)
            self._known[key] = row = row if row is not None else _plain(names, values)
            rows.append(row)
        return rows


@dataclass
class Snapshot:
    """Every row of every table that matters, as plain dicts with JSON read."""

    rows: dict[str, list[Row]] = field(default_factory=dict)

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


def _plain(names: Sequence[str], values: Sequence[Any]) -> Row:
    return {name: json.loads(value) if name in _JSON and isinstance(value, str) else value
            for name, value in zip(names, values, strict=True)}  # fmt: skip
