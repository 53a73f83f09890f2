"""Prefect's database filled with copies of one suspended flow run, as benchmarks/kit/filled.py fills Etappe's."""

from __future__ import annotations

import psycopg

from benchmarks.kit.filled import scattered_uuid

ROWS = {
    "flow_run": ("id", "state_id"),
    "flow_run_state": ("id", "flow_run_id"),
    "task_run": ("id", "flow_run_id", "state_id"),
    "task_run_state": ("id", "task_run_id"),
}
"""What Prefect keeps of a flow run that is suspended, by table, with what names a row of these tables."""
_ITS = {
    "flow_run": "id = %(of)s",
    "flow_run_state": "flow_run_id = %(of)s",
    "task_run": "flow_run_id = %(of)s",
    "task_run_state": "task_run_id IN (SELECT id FROM task_run WHERE flow_run_id = %(of)s)",
}


def copy_flow_run(url: str, flow_run_id: str, numbers: range) -> None:
    """Write a copy of a flow run with its bars for each of these numbers, from 1 on: those that `copy_rollout` names.

    `url` is Prefect's PostgreSQL, as libpq takes it.
    """
    given = {"of": flow_run_id, "first": numbers.start, "last": numbers.stop - 1}
    with psycopg.connect(url) as connection:
        connection.execute("SET session_replication_role = replica")  # they refer to each other in a circle
        for table, names in ROWS.items():
            columns = [row[0] for row in connection.execute(
                "SELECT column_name FROM information_schema.columns WHERE table_name = %s AND table_schema = 'public'",
                [table])]  # fmt: skip
            values = [_value(column, names) for column in columns]
            connection.execute(
                f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(values)} "
                f"FROM {table}, generate_series(%(first)s::int, %(last)s::int) AS n WHERE {_ITS[table]}",
                given,
            )


def _value(column: str, names: tuple[str, ...]) -> str:
    if column in names:
        return f"CAST({scattered_uuid(f'CAST({column} AS text)')} AS uuid)"
    return "md5(n || '-' || idempotency_key)" if column == "idempotency_key" else column
