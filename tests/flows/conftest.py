"""A real Prefect server with a warm worker, and an Etappe beside it whose mails are kept in a list."""

from __future__ import annotations

import os
import sys
import threading
import time
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest

from domain import links
from models import schema
from models.outbox import Message, messages_of
from models.requests import Request, RequestState, requests_of
from models.rollouts import Rollout, rollout_of_flow_run
from operations.describe_rollout import describe_rollout
from operations.import_people import import_people
from operations.installation import Installation
from operations.record_decision import DecisionForm, record_decision
from operations.show_request import show_request
from operations.start_rollout import Start, start_rollout
from plans.directory import read_directory
from plans.reading import read_plan
from settings import Settings
from tests.company import PEOPLE, REQUESTER
from tests.ports import free_port
from worker.parts import Crew
from worker.prefect_server import prefect_environment, server_parts, worker_part

PATIENCE_SECONDS = 60


def eventually(holds: Callable[[], Any], what: str, seconds: float = PATIENCE_SECONDS) -> Any:
    """Wait until `holds` gives something true, and return that."""
    until = time.monotonic() + seconds
    while True:
        if found := holds():
            return found
        if time.monotonic() > until:
            raise AssertionError(f"waited {seconds:g} s in vain: {what}")
        time.sleep(0.1)


@dataclass
class Relay:
    """The half of a relay that follows in Prefect, in a thread. `api` is where it finds Prefect; empty: as set."""

    installation: Installation
    api: str = ""
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to follow."""
        self._stop.clear()
        self._thread = threading.Thread(target=self._follow)
        self._thread.start()

    def stop(self) -> None:
        """Follow no longer."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=30)
            self._thread = None

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Be away for a while."""
        self.stop()
        try:
            yield
        finally:
            self.start()

    def _follow(self) -> None:
        from prefect.settings import PREFECT_API_URL, temporary_settings

        from worker.relay import follow_in_prefect

        with temporary_settings({PREFECT_API_URL: self.api} if self.api else {}):
            follow_in_prefect(self.installation, self._stop)


@dataclass
class Etappe:
    """A running Etappe: its installation, the half of its relay that follows in Prefect, and Prefect's API."""

    installation: Installation
    api: httpx.Client
    relay: Relay

    def client(self) -> Any:
        """A client of Prefect's, as a context. Prefect must not be imported before its environment is set."""
        from prefect.client.orchestration import get_client

        return get_client(sync_client=True)

    @property
    def flow_runs(self) -> ModuleType:
        """What keeps flow runs and rollouts together."""
        from tasks import flow_runs

        return flow_runs

    def post(self, path: str, **body: Any) -> Any:
        """Call Prefect's API the way its pages do."""
        answer = self.api.post(path, json=body)
        answer.raise_for_status()
        return answer.json()

    def deployment(self, name: str = "rollout/start") -> dict[str, Any]:
        """A deployment as Prefect has it."""
        return dict(self.api.get(f"deployments/name/{name}").raise_for_status().json())

    def press_run(self, **parameters: Any) -> str:
        """Start a flow run as Prefect's form does; return its id."""
        answer = self.answer_to_run(**parameters)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def answer_to_run(self, deployment_id: str = "", **parameters: Any) -> httpx.Response:
        """What Prefect's server answers to its form."""
        parameters.setdefault("requester", REQUESTER)
        body = {"parameters": parameters, "state": {"type": "SCHEDULED"}}
        return self.api.post(f"deployments/{deployment_id or self.deployment()['id']}/create_flow_run", json=body)

    def start(self, source: str, **more: Any) -> tuple[str, str]:
        """Start a rollout by command and wait until Prefect shows it; return its id and its flow run's."""
        more.setdefault("title", "By command")
        more.setdefault("requester", REQUESTER)
        start = Start(read_plan(source, "plan.yaml"), source, channel="command", **more)
        rollout_id = start_rollout(self.installation.db, self.installation.keys, start, datetime.now(UTC))
        return rollout_id, self.shown(rollout_id)

    def shown(self, rollout_id: str) -> str:
        """Wait until Prefect's page shows all there is of a rollout; return its flow run."""

        def flow_run() -> str | None:
            row = self.row(rollout_id)
            return row.flow_run_id if row.painted >= row.sequence else None

        return str(eventually(flow_run, "Prefect's page being painted"))

    def row(self, rollout_id: str) -> Rollout:
        """A rollout as the database has it."""
        with self.installation.db.read() as session:
            return session.get_one(Rollout, rollout_id)

    def messages(self, rollout_id: str) -> list[Message]:
        """What people were told about a rollout."""
        with self.installation.db.read() as session:
            return list(session.scalars(messages_of(rollout_id)))

    def force(self, flow_run_id: str, state: str) -> dict[str, Any]:
        """Force a flow run into a state of this type, as anybody may who reaches Prefect's API."""
        return dict(self.post(f"flow_runs/{flow_run_id}/set_state", state={"type": state}, force=True))

    def states(self, flow_run_id: str) -> list[str]:
        """The states a flow run has been in, by name, oldest first."""
        states = self.api.get("flow_run_states/", params={"flow_run_id": flow_run_id}).raise_for_status().json()
        return [state["name"] for state in sorted(states, key=lambda state: state["timestamp"])]

    def processes(self, flow_run_id: str) -> int:
        """How many processes were started for a flow run."""
        return self.states(flow_run_id).count("Pending")

    def flow_run(self, flow_run_id: str) -> dict[str, Any]:
        """A flow run as Prefect has it."""
        return dict(self.api.get(f"flow_runs/{flow_run_id}").raise_for_status().json())

    def log(self, flow_run_id: str) -> list[str]:
        """What a flow run and its tasks have logged, as Prefect's page shows it."""
        found = self.post("logs/filter", logs={"flow_run_id": {"any_": [flow_run_id]}}, sort="TIMESTAMP_ASC")
        return [str(line["message"]) for line in found]

    def until(self, flow_run_id: str, state: str) -> dict[str, Any]:
        """Wait until a flow run is in a state, by name, and return it."""

        def reached() -> dict[str, Any] | None:
            run = self.flow_run(flow_run_id)
            return run if run["state_name"] == state else None

        try:
            return dict(eventually(reached, f"flow run {flow_run_id} becoming {state}"))
        except AssertionError as in_vain:
            raise AssertionError(f"{in_vain}; it was {self.states(flow_run_id)}") from None

    def task_runs(self, flow_run_id: str) -> list[dict[str, Any]]:
        """The stages and gates in a flow run's timeline; their names as a browser puts letters together.

        The timeline itself has none but those of ASCII, and leaves out all others, such as the two dots of an ü.
        """
        graph = self.api.get(f"flow_runs/{flow_run_id}/graph-v2").raise_for_status().json()
        ids = [node["id"] for _, node in graph["nodes"]]
        runs = self.post("task_runs/filter", task_runs={"id": {"any_": ids}}) if ids else []
        bars = [run for run in runs if run["task_key"].split("-")[0].lstrip("_") in ("stage_bar", "gate_bar")]
        letters = [letter for bar in bars for letter in bar["name"] if not unicodedata.combining(letter)]
        assert all(map(str.isascii, letters)), letters
        return [{**bar, "name": unicodedata.normalize("NFC", bar["name"])} for bar in bars]

    def bars(self, flow_run_id: str) -> dict[str, str]:
        """The bars in a flow run's timeline: name to state name. No two have the same name."""
        runs = self.task_runs(flow_run_id)
        named = {run["name"]: run["state_name"] for run in runs}
        assert len(named) == len(runs), sorted(run["name"] for run in runs)
        return named

    def tables(self, flow_run_id: str) -> list[dict[str, Any]]:
        """The tables of gates on a flow run's page."""
        return list(self.post("artifacts/filter", artifacts={"flow_run_id": {"any_": [flow_run_id]}}))

    def rollout_id(self, flow_run_id: str) -> str | None:
        """The rollout that a flow run has started."""
        with self.installation.db.read() as session:
            found = session.scalars(rollout_of_flow_run(flow_run_id)).first()
            return found.id if found else None

    def started(self, flow_run_id: str) -> str:
        """Wait until a flow run has started its rollout, and return that."""
        return str(eventually(lambda: self.rollout_id(flow_run_id), "the rollout"))

    def rollout(self, rollout_id: str) -> dict[str, Any]:
        """A rollout as the command line describes it."""
        return describe_rollout(self.installation.db, rollout_id, datetime.now(UTC))

    def open_requests(self, rollout_id: str, person: str) -> list[Request]:
        """What a person is asked now."""
        with self.installation.db.read() as session:
            rows = session.scalars(requests_of(rollout_id)).all()
        return [row for row in rows if row.person == person and row.state is RequestState.OPEN]

    def decides(self, rollout_id: str, person: str, decision: str = "approve", **words: Any) -> None:
        """Let a person decide by their link."""
        [request] = self.open_requests(rollout_id, person)
        here, now = self.installation, datetime.now(UTC)
        token = links.link_token(here.keys[0], request.id, request.link_number)
        code = links.code(here.keys[0], request.id, request.link_number)
        form = DecisionForm(decision, code, show_request(here.db, token, now).digest, **words)
        record_decision(here.db, here.keys, token, form, now)


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="session")
def prefect_port() -> int:
    return free_port()


@pytest.fixture(scope="session")
def prefect(home: Path, prefect_port: int) -> Iterator[str]:
    """A Prefect server with a worker; gives the address of its API. Its environment is this process's as well."""
    plans = home / "plans"
    plans.mkdir()
    environment = {
        **prefect_environment(home, prefect_port),
        "ETAPPE_HOME": str(home),
        "ETAPPE_PLANS": str(plans),
        "ETAPPE_SECRET_KEYS": "a secret that only the tests know",
    }
    before = {name: os.environ.get(name) for name in environment}
    os.environ.update(environment)
    _read_settings_again()
    with Crew(home / "logs") as crew:
        for part in [*server_parts(home, prefect_port), worker_part(home, prefect_port)]:
            crew.start(part)
        yield f"http://127.0.0.1:{prefect_port}/api/"
    for name, value in before.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
    _read_settings_again()


def _read_settings_again() -> None:
    """Prefect reads its settings when it is imported, which other tests may have done."""
    if "prefect" in sys.modules:
        from prefect.context import refresh_global_settings_context

        refresh_global_settings_context()


@pytest.fixture(scope="session")
def installation(prefect: str) -> Iterator[Installation]:
    """An installation with people in it, deployed to the Prefect server."""
    from flows.deploy import deploy

    here = Installation(Settings.from_environment())
    schema.upgrade(here.db)
    import_people(here.db, read_directory(PEOPLE, "people.yaml"), datetime.now(UTC))
    deploy(here)
    yield here
    here.db.close()


@pytest.fixture(scope="session")
def etappe(installation: Installation, prefect: str) -> Iterator[Etappe]:
    """An Etappe whose relay follows in Prefect; mail is not delivered."""
    relay = Relay(installation)
    relay.start()
    with httpx.Client(base_url=prefect, timeout=30) as api:
        yield Etappe(installation, api, relay)
    relay.stop()


@pytest.fixture
def plan(home: Path, installation: Installation) -> Callable[[str, str], str]:
    """Write plans where the installation finds them, and deploy so that the form offers them."""
    from flows.deploy import deploy

    def write(name: str, source: str) -> str:
        (home / "plans" / f"{name}.yaml").write_text(source, encoding="utf-8")
        deploy(installation)
        return name

    return write
