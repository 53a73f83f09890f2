"""PostgreSQL's cursor, with less said about each column of a result. Imported only where PostgreSQL is used."""

from __future__ import annotations

from typing import Any

from psycopg import Cursor
from psycopg.pq import ExecStatus


class LeanCursor(Cursor[Any]):
    """Names each column of a result and its type, and nothing else of it: SQLAlchemy asks after every statement.

    psycopg makes an object of each column that could tell its size and scale, some 240 in a decision.
    """

    @property
    def description(self) -> Any:
        """As PEP 249 has it: seven facts of each column, of which five may be None; None where there is no result."""
        result = self.pgresult
        if result is None or result.status != ExecStatus.TUPLES_OK:
            return None
        unsaid = (None,) * 5
        return [((result.fname(i) or b"").decode(), result.ftype(i), *unsaid) for i in range(result.nfields)]
