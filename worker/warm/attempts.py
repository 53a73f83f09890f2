"""The flow runs that are at work in the warm worker: started, cancelled and concluded by Prefect's own parts.

Prefect's process worker makes these parts anew for each flow run, with a connection to the server's events each. Here
one set serves all, and what goes wrong while one is cancelled is no other's concern.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import AsyncExitStack, suppress
from typing import TYPE_CHECKING, Self
from uuid import UUID

from prefect._internal.observers import FlowRunCancellingObserver
from prefect.client.orchestration import PrefectClient
from prefect.logging import get_logger
from prefect.runner._cancellation_manager import CancellationManager
from prefect.runner._control_channel import ControlChannel
from prefect.runner._event_emitter import EventEmitter
from prefect.runner._flow_run_executor import FlowRunExecutor
from prefect.runner._process_manager import ProcessManager
from prefect.runner._state_proposer import StateProposer

from worker.warm.starter import Forked

if TYPE_CHECKING:
    from prefect.client.schemas.objects import FlowRun

log = get_logger("etappe.warm")

LISTEN_AGAIN_SECONDS = 2.0


class Attempts:
    """A context in which flow runs are executed; whatever still runs when it is left is ended."""

    def __init__(self, client: PrefectClient) -> None:
        """`client` is the worker's."""
        self.control = ControlChannel()
        self._client = client
        self._processes = ProcessManager(on_add=self._added, on_remove=self._removed)
        self._states = StateProposer(client=client)
        self._events = EventEmitter(runner_name="warm", client=client)
        self._cancelling: dict[UUID, CancellationManager] = {}
        self._observer: FlowRunCancellingObserver | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._opened = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Begin to listen for cancellations."""
        for part in (self._processes, self._events, self.control):
            await self._opened.enter_async_context(part)
        self._do(self._listen())
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """End what still runs, all of it at once; who does not heed it is killed by Prefect's process manager."""
        for flow_run_id in self._processes.flow_run_ids():
            if handle := self._processes.get(flow_run_id):
                with suppress(ProcessLookupError):
                    handle.graceful_kill()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._opened.aclose()

    def executor(self, flow_run: FlowRun, forked: Forked) -> FlowRunExecutor:
        """Return what runs this flow run, once."""
        self._cancelling[flow_run.id] = CancellationManager(
            process_manager=self._processes,
            hook_runner=forked,
            state_proposer=self._states,
            event_emitter=self._events,
            client=self._client,
            control_channel=self.control,
        )
        return FlowRunExecutor(
            flow_run=flow_run,
            starter=forked,
            process_manager=self._processes,
            state_proposer=self._states,
            hook_runner=forked,
            get_attempt_conclusion=self.control.get_conclusion,
            propose_submitting=False,  # the worker has done it
        )

    def forget(self, flow_run_id: UUID) -> None:
        """Take note that a flow run is over."""
        self._cancelling.pop(flow_run_id, None)

    async def _added(self, flow_run_id: UUID) -> None:
        if self._observer is not None:
            self._observer.add_in_flight_flow_run_id(flow_run_id)

    async def _removed(self, flow_run_id: UUID) -> None:
        if self._observer is not None:
            self._observer.remove_in_flight_flow_run_id(flow_run_id)
        self.control.unregister(flow_run_id)

    def _do(self, what: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(what)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _listen(self) -> None:
        """Have cancellations observed, and anew when the observer has become deaf: Prefect's server was restarted."""
        while True:
            try:
                async with FlowRunCancellingObserver(on_cancelling=self._on_cancelling) as observer:
                    self._observer = observer
                    for flow_run_id in self._processes.flow_run_ids():
                        observer.add_in_flight_flow_run_id(flow_run_id)
                    await asyncio.wait([task for task in (observer._consumer_task, observer._polling_task) if task])
            except Exception as error:  # noqa: BLE001 - whatever it is, it is tried again
                log.warning("cancellations are not heard for a moment: %s", error)
            await asyncio.sleep(LISTEN_AGAIN_SECONDS)

    def _on_cancelling(self, flow_run_id: UUID) -> None:
        self._do(self._cancel(flow_run_id))

    async def _cancel(self, flow_run_id: UUID) -> None:
        try:
            if manager := self._cancelling.get(flow_run_id):
                await manager.cancel_by_id(flow_run_id)
        except Exception:
            log.exception("flow run %s could not be cancelled", flow_run_id)
