"""Prefect's command for a warm worker: `python -m worker.warm worker start …` is `prefect worker start …`.

What flow runs are forked from is forked here, before the worker is anything, so that both have one copy of what they
have imported. Started by Prefect's own command, a warm worker starts it as a process of its own.
"""

from __future__ import annotations

import sys
from runpy import run_module

from settings import CHECKOUT
from worker.warm import in_advance, zygote


def main() -> None:
    """Fork the zygote, then be Prefect's command."""
    in_advance.fork(CHECKOUT, zygote.warm_up())
    sys.argv[0] = "prefect"
    run_module("prefect", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
