"""What a forked child does: becomes the process that Prefect would have started for a flow run, and runs it."""

from __future__ import annotations

import asyncio
import atexit
import os
import runpy
import sys
import threading
import traceback
import warnings
from collections.abc import Mapping
from functools import partial
from typing import Any

ENGINE = "prefect.engine"
ENTRYPOINT = "PREFECT__FLOW_ENTRYPOINT"


def run(asked: dict[str, Any]) -> int:
    """Run what is asked for, and return the exit code that a process of its own would have had.

    `asked` has the `environment`, the `folder` to be in, and whether its output is of `interest`; for the hooks of a
    flow run that is over also which `hooks` (cancellation or crashed), the `flow_run` and its `state` as JSON.
    """
    _become(asked)
    try:
        if "hooks" in asked:
            asyncio.run(_run_hooks(asked))
        else:
            _run_engine()
        code = 0
    except SystemExit as end:
        code = _code_of(end)
    except BaseException:  # noqa: BLE001 - as Python does with what nobody has caught
        traceback.print_exc()
        code = 1
    _leave()
    return code


def _become(asked: dict[str, Any]) -> None:
    """Take on the environment, the folder and Prefect's settings of this flow run."""
    before, here = _settings_in(os.environ), os.getcwd()
    os.environ.clear()
    os.environ.update(asked["environment"])
    os.chdir(asked["folder"])
    if os.getcwd() != here:
        _forget(here)
        sys.path.insert(0, os.getcwd())
    if entrypoint := os.environ.get(ENTRYPOINT):
        os.environ[ENTRYPOINT] = _as_module(entrypoint)
    if not asked["interest"]:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
    if _settings_in(os.environ) != before:
        _read_settings_again()


def _forget(folder: str) -> None:
    """Import again what came from another folder: a flow that is elsewhere may have modules of the same names."""
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None) or ""
        if name != "__main__" and file.startswith(f"{folder}{os.sep}") and "site-packages" not in file:
            del sys.modules[name]
    sys.path[:] = [entry for entry in sys.path if entry != folder]


def _as_module(entrypoint: str) -> str:
    """Turn `flows/rollout.py:rollout` into `flows.rollout.rollout` when that is imported: Prefect runs a file again."""
    file, _, name = entrypoint.partition(":")
    module = file.removesuffix(".py").replace("/", ".")
    imported = getattr(sys.modules.get(module), "__file__", None)
    return f"{module}.{name}" if name and imported == os.path.abspath(file) else entrypoint


def _settings_in(environment: Mapping[str, str]) -> dict[str, str]:
    """Return what Prefect reads its settings from; names with two underscores are its facts about one flow run."""
    return {
        name: value
        for name, value in environment.items()
        if name.startswith("PREFECT_") and not name.startswith("PREFECT__")
    }


def _read_settings_again() -> None:
    from prefect.context import refresh_global_settings_context
    from prefect.logging.configuration import setup_logging

    refresh_global_settings_context()
    setup_logging(incremental=False)


def _run_engine() -> None:
    """Run Prefect's engine; what a flow run has ended as is in its state, and not an exception of the engine as well.

    As it comes, the engine raises it once more, and writes pages of its own calls below what somebody did wrong.
    """
    from prefect import flow_engine

    flow_engine.run_flow = partial(flow_engine.run_flow, return_type="state")
    sys.argv = [ENGINE]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*found in sys.modules", category=RuntimeWarning)
        runpy.run_module(ENGINE, run_name="__main__", alter_sys=True)


async def _run_hooks(asked: dict[str, Any]) -> None:
    from prefect.client.schemas.objects import FlowRun, State
    from prefect.flows import load_flow_from_flow_run
    from prefect.runner._hook_runner import HookRunner

    hooks = HookRunner(resolve_flow=load_flow_from_flow_run)
    run_hooks = {"cancellation": hooks.run_cancellation_hooks, "crashed": hooks.run_crashed_hooks}[asked["hooks"]]
    await run_hooks(FlowRun.model_validate(asked["flow_run"]), State[Any].model_validate(asked["state"]))


def _code_of(end: SystemExit) -> int:
    """Return what Python makes of an exit: nothing is 0, a number is itself, anything else is said and is 1."""
    if end.code is None:
        return 0
    if isinstance(end.code, int):
        return end.code & 0xFF
    sys.stderr.write(f"{end.code}\n")
    return 1


def _leave() -> None:
    """Do what an interpreter does before it ends: threads are waited for, logs and events are sent."""
    threading._shutdown()  # type: ignore[attr-defined]  # what the interpreter calls; nothing else waits for threads
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
