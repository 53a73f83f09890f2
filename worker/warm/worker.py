"""The worker type `warm`: Prefect's process worker, but that flow runs are forked, and noticed at once.

Whatever is the same for both (job variables, states, cancelling, hooks) is Prefect's own code, so a deployment runs
with either. Prefect finds it by etappe.dist-info/entry_points.txt.
"""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import AsyncExitStack, nullcontext
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import anyio
import anyio.abc
from prefect.client.schemas.responses import WorkerFlowRunResponse
from prefect.exceptions import PrefectHTTPStatusError
from prefect.runner._flow_run_executor import FlowRunExecutionResult, FlowRunExecutor
from prefect.runner._process_manager import ProcessHandle
from prefect.workers.base import BaseWorkerResult
from prefect.workers.process import ProcessJobConfiguration, ProcessWorker, ProcessWorkerResult

from settings import CHECKOUT
from worker.warm.attempts import Attempts
from worker.warm.forking import Zygote
from worker.warm.starter import Forked
from worker.warm.wakes import Wakes

if TYPE_CHECKING:
    from prefect.client.schemas.objects import FlowRun


MOST_IN_ONE_ANSWER = 200
"""The most flow runs that Prefect's server gives in one answer."""


class WarmWorker(ProcessWorker):
    """Forks each flow run from a process that has imported Prefect and the flows."""

    type = "warm"
    _display_name = "Warm"
    _description = "Fork flow runs from a process that has imported Prefect and the flows."

    def __init__(self, *arguments: Any, **options: Any) -> None:
        """Take what every worker of Prefect's takes."""
        super().__init__(*arguments, **options)
        self._zygote = Zygote(CHECKOUT)
        self._wakes = Wakes(self.get_and_submit_flow_runs, lambda: self._work_pool.id if self._work_pool else None)
        self._opened = AsyncExitStack()
        self._attempts: Attempts | None = None
        self._polling = asyncio.Lock()
        self._at_work: set[UUID] = set()
        self._some_have_to_wait = False

    async def __aenter__(self) -> WarmWorker:
        """Start the process that flow runs are forked from, and listen."""
        self._opened.push_async_callback(self._zygote.stop)
        await self._zygote.start()
        await super().__aenter__()
        self._attempts = await self._opened.enter_async_context(Attempts(self.client))
        for each in (self._wakes.listen, self._wakes.follow):
            task = asyncio.create_task(each())
            self._opened.callback(task.cancel)
        return self

    async def __aexit__(self, *exc_info: Any) -> None:
        """End every flow run that is still at work, and the process that they were forked from."""
        try:
            await self._opened.aclose()
        finally:
            await super().__aexit__(*exc_info)

    async def run(
        self,
        flow_run: FlowRun,
        configuration: ProcessJobConfiguration,
        task_status: anyio.abc.TaskStatus[int] | None = None,
    ) -> ProcessWorkerResult:
        """Run a flow run in a child; one with a command of its own is the process worker's."""
        if configuration._command_configured:
            return await super().run(flow_run, configuration, task_status)
        folder = configuration.working_dir
        with tempfile.TemporaryDirectory(suffix="prefect") if folder is None else nullcontext(folder) as chosen:
            assert self._attempts is not None
            forked = Forked(self._zygote, configuration, Path(chosen).resolve(), self._attempts.control)
            executor = self._attempts.executor(flow_run, forked)
            try:
                return await _execute(executor, task_status or anyio.TASK_STATUS_IGNORED)
            finally:
                self._attempts.forget(flow_run.id)

    async def get_and_submit_flow_runs(self) -> list[FlowRun]:
        """Look for flow runs and start them; one look at a time, since it is asked for by the poll and by events."""
        async with self._polling:
            return await super().get_and_submit_flow_runs()

    async def _get_scheduled_flow_runs(self) -> list[WorkerFlowRunResponse]:
        """Ask for as many as there are places for, and leave out whose process has not ended yet.

        A run that was suspended may be resumed before its process has gone: Prefect would lose sight of one of the two,
        and with a limit the worker would crash.
        """
        places = self._limiter.available_tokens if self._limiter else MOST_IN_ONE_ANSWER
        if places < 1:
            self._some_have_to_wait = True
            return []
        most = min(int(places) + len(self._at_work), MOST_IN_ONE_ANSWER)
        found = await self._ask_for(most)
        ready = [each for each in found if each.flow_run.id not in self._at_work]
        self._some_have_to_wait = len(ready) < len(found) or len(found) == most
        return ready

    async def _ask_for(self, most: int) -> list[WorkerFlowRunResponse]:
        """Ask Prefect, whose client asks for 200 whatever is wanted: with a thousand waiting that takes a second."""
        before = datetime.now(UTC) + timedelta(seconds=self._prefetch_seconds)
        wanted = {"work_queue_names": sorted(self._work_queues), "scheduled_before": before.isoformat(), "limit": most}
        place = {"name": self._work_pool_name}
        try:
            answer = await self.client.request(
                "POST", "/work_pools/{name}/get_scheduled_flow_runs", path_params=place, json=wanted
            )
        except PrefectHTTPStatusError as refusal:
            if refusal.response.status_code == HTTPStatus.NOT_FOUND:
                return []  # the pool is made with the next heartbeat
            raise
        return WorkerFlowRunResponse.model_validate_list(answer.json())

    async def _worker_metadata(self) -> None:
        """Leave out the versions of Prefect's integrations: it would read the metadata of every installed package, and
        find Etappe."""

    async def _propose_submitting_state(self, flow_run: FlowRun) -> None:
        """Leave out the state that says that infrastructure is being asked for; a fork is there at once."""

    async def _give_worker_labels_to_flow_run(self, flow_run_id: UUID) -> None:
        """Say in Prefect which worker runs it, while it begins."""
        assert self._runs_task_group is not None
        self._runs_task_group.start_soon(self._label, flow_run_id)

    async def _label(self, flow_run_id: UUID) -> None:
        try:
            await super()._give_worker_labels_to_flow_run(flow_run_id)
        except Exception as error:  # noqa: BLE001 - a label is no reason to end a run, nor the worker
            self._logger.warning("flow run %s has no labels of its worker: %s", flow_run_id, error)

    async def _submit_run_and_capture_errors(
        self, flow_run: FlowRun, task_status: anyio.abc.TaskStatus[int | Exception] | None = None
    ) -> BaseWorkerResult | Exception:
        self._at_work.add(flow_run.id)
        try:
            return await super()._submit_run_and_capture_errors(flow_run, task_status)
        finally:
            self._at_work.discard(flow_run.id)
            if self._some_have_to_wait:
                self._wakes.now()


async def _execute(executor: FlowRunExecutor, task_status: anyio.abc.TaskStatus[int]) -> ProcessWorkerResult:
    """Execute a flow run, tell its process once there is one, and return how it ended."""
    executions: list[FlowRunExecutionResult | None] = []

    async def submit(*, task_status: anyio.abc.TaskStatus[ProcessHandle] = anyio.TASK_STATUS_IGNORED) -> None:
        executions.append(await executor.submit(task_status=task_status))

    async with anyio.create_task_group() as group:
        handle: ProcessHandle = await group.start(submit)
        assert handle.pid is not None
        task_status.started(handle.pid)
    execution = executions[0]
    if execution is None or execution.status_code is None:
        raise RuntimeError("The flow run's process could not be started.")
    return ProcessWorkerResult(status_code=execution.status_code, identifier=str(execution.handle.pid))
