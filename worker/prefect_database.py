"""Prepares Prefect's database before any of its servers starts: `python -m worker.prefect_database`.

It is `prefect server database upgrade`, and what a server does when it starts besides: register the types of Prefect's
blocks. Two servers of 3.8.8 that do so on an empty database at once want to write the same rows, and one of them ends.
So a server that is one of several is told PREFECT_SERVER_REGISTER_BLOCKS_ON_START=false.
"""

from __future__ import annotations

import asyncio


async def prepare() -> None:
    """Bring the database of PREFECT_SERVER_DATABASE_CONNECTION_URL up to date; what is there already stays."""
    from prefect.server.database import provide_database_interface
    from prefect.server.models.block_registration import run_block_auto_registration

    database = provide_database_interface()
    await database.create_db()
    async with database.session_context() as session:
        await run_block_auto_registration(session=session)


if __name__ == "__main__":
    asyncio.run(prepare())
