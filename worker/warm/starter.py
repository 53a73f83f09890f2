"""How Prefect's executor of flow runs starts a forked one, and runs hooks: what it would otherwise do by commands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import anyio
import anyio.abc
from prefect.runner._control_channel import ControlChannel
from prefect.runner._process_manager import ProcessHandle, create_isolated_termination_scope
from prefect.utilities.processutils import sanitize_subprocess_env
from prefect.workers.process import ProcessJobConfiguration

from worker.warm.forking import Child, Zygote

if TYPE_CHECKING:
    from prefect.client.schemas.objects import FlowRun, State
    from prefect.client.schemas.responses import DeploymentResponse

HOOKS_ARE_THE_WORKERS = {"PREFECT__ENABLE_CANCELLATION_AND_CRASHED_HOOKS": "false"}


@dataclass(frozen=True)
class Forked:
    """A starter and a runner of hooks in Prefect's sense, for one flow run."""

    zygote: Zygote
    configuration: ProcessJobConfiguration
    folder: Path
    control: ControlChannel

    async def start(
        self, flow_run: FlowRun, task_status: anyio.abc.TaskStatus[ProcessHandle] = anyio.TASK_STATUS_IGNORED
    ) -> None:
        """Fork the flow run, tell its handle, and wait until it has ended."""
        port, token = self.control.register(flow_run.id)
        session = {"PREFECT__CONTROL_PORT": str(port), "PREFECT__CONTROL_TOKEN": token}
        try:
            child = await self._fork(session)
        except BaseException:
            self.control.unregister(flow_run.id)
            raise
        task_status.started(_handle(child))
        await child.ended.wait()

    async def run_cancellation_hooks(self, flow_run: FlowRun, state: State[Any]) -> None:
        """Run the flow's hooks for a cancelled run, in a process of their own."""
        await self._run_hooks("cancellation", flow_run, state)

    async def run_crashed_hooks(self, flow_run: FlowRun, state: State[Any]) -> None:
        """Run the flow's hooks for a crashed run, in a process of their own."""
        await self._run_hooks("crashed", flow_run, state)

    async def _run_hooks(self, hooks: str, flow_run: FlowRun, state: State[Any]) -> None:
        facts = {"flow_run": flow_run.model_dump(mode="json"), "state": state.model_dump(mode="json")}
        child = await self._fork({}, hooks=hooks, **facts)
        await child.ended.wait()

    async def _fork(self, session: Mapping[str, str], **more: Any) -> Child:
        folder, entrypoint = self._where_the_flow_is()
        environment = sanitize_subprocess_env(
            {**self.configuration.env, **HOOKS_ARE_THE_WORKERS, **entrypoint, **session}
        )
        return await self.zygote.fork(
            {"environment": environment, "folder": folder, "interest": self.configuration.stream_output, **more}
        )

    def _where_the_flow_is(self) -> tuple[str, dict[str, str]]:
        """Return the folder to be in, and what tells the engine that the flow is there and need not be fetched.

        Of all pull steps, the one that only names a folder is done here; others, and several, are left to the engine.
        """
        deployment: DeploymentResponse | None = self.configuration._related_objects.get("deployment")
        if deployment and deployment.entrypoint:
            match deployment.pull_steps:
                case [{"prefect.deployments.steps.set_working_directory": {"directory": str() as folder, **rest}}] if (
                    not rest and len(deployment.pull_steps[0]) == 1
                ):
                    return folder, {"PREFECT__FLOW_ENTRYPOINT": deployment.entrypoint}
        return str(self.folder), {}


def _handle(child: Child) -> ProcessHandle:
    """Return the child as Prefect knows processes: of those it wants `pid` and `returncode`, and kills the group."""
    return ProcessHandle(cast(Any, child), termination_scope=create_isolated_termination_scope(child.pid))
