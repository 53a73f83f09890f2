"""Links to the flow runs that gates have started: at the gate's bar, and in the table of gates.

A started flow run is no child of the rollout's in Prefect, which would show it inside of the bar: Prefect suspends no
child, and cancels it with its parent (docs/adr/0009).
"""

from __future__ import annotations

from prefect.client.orchestration import SyncPrefectClient
from prefect.utilities.urls import url_for

from models.prefect_page import Bar
from notifications.language import Words
from operations.chart import BarFacts, Chart, StartedRun
from worker import artifacts

RUN = "run"
_BRACKETS = str.maketrans({"[": "(", "]": ")", "\\": "/"})


def address(run: StartedRun) -> str:
    """Return the address of a flow run's page."""
    return url_for("flow-run", run.flow_run_id) or ""


def link(run: StartedRun, text: str = "") -> str:
    """Return a link in Markdown, with the flow run's name unless a text is given."""
    return f"[{(text or run.name).translate(_BRACKETS)}]({address(run)})"


def paint(
    client: SyncPrefectClient, chart: Chart, facts: BarFacts, run: StartedRun, task_run_id: str, words: Words
) -> Bar:
    """Bring the link at a gate's bar up to date."""
    painted = chart.painted.get((RUN, facts.subject_id))
    artifact_id = painted.task_run_id if painted else ""
    if painted is None or (painted.name, painted.state) != (run.name, run.state):
        where = {"type": "markdown", "flow_run_id": chart.flow_run_id, "task_run_id": task_run_id}
        # Prefect shows the description also where it lists artifacts, so the link stands there.
        shown = {"description": f"{link(run)}: {words.state(run.state)}", "data": words.say(facts.title)}
        artifact_id = artifacts.put(client, artifact_id, shown, where)
    return Bar(flow_run_id=chart.flow_run_id, subject=RUN, subject_id=facts.subject_id, rollout_id=chart.rollout_id,
               task_run_id=artifact_id, name=run.name, state=run.state)  # fmt: skip
