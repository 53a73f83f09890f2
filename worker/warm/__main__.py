"""The warm worker's own command: `python -m worker.warm NAME POOL LIMIT`.

It does what `prefect worker start --type warm` does, without Prefect's command line: to build that and to read three
words by it wrote to more memory than the worker does in its work. What flow runs are forked from is forked here, before
the worker is anything, so that both have one copy of what they have imported. Started by Prefect's command, a warm
worker starts it as a process of its own.
"""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import suppress

from prefect.utilities.processutils import setup_signal_handlers_worker

from settings import CHECKOUT
from worker.warm import in_advance, zygote
from worker.warm.worker import WarmWorker


def main() -> None:
    """Fork the zygote, then work until told to stop."""
    name, pool, limit = sys.argv[1:]
    in_advance.fork(CHECKOUT, zygote.warm_up())
    asyncio.run(_work(name, pool, int(limit)))


async def _work(name: str, pool: str, limit: int) -> None:
    setup_signal_handlers_worker(os.getpid(), "the warm worker", print)  # which end in asyncio's own: it cancels this
    with suppress(asyncio.CancelledError):  # it was told to stop, and has
        await WarmWorker(name=name, work_pool_name=pool, limit=limit).start()


if __name__ == "__main__":
    main()
