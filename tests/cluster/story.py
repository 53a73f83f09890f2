"""Rollouts that people decide by their links, and the kill half way through."""

from __future__ import annotations

import re
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import psycopg
from sqlalchemy import select, text

from models.outbox import Message, MessageState
from models.rollouts import Rollout
from operations.installation import Installation
from settings import Settings
from tests.cluster.containers import Container, Containers
from tests.cluster.places import CREDENTIALS
from tests.cluster.pods import Pod, Pods
from tests.cluster.post_office import Mail, PostOffice
from tests.cluster.running import Process, Processes
from tests.flows.conftest import Etappe, Relay, eventually

Cluster = Processes | Containers | Pods
Replica = Process | Container | Pod
LEA = "lea.brunner@example.com"
ROLLOUTS = 16
DECIDED_BEFORE = 4
"""So many rollouts are decided, and others are being decided, when one of each is killed; ..."""
DECIDED_AFTER = 6
"""... and so many are for those who are left."""
DECIDED_BEFORE_SERVICES = 11
"""So many are, when Prefect's services are killed, of which there is one: they are started again, as the file says."""
PEOPLE_AT_ONCE = 4
STAFF_OF_EACH = 2
DECISIONS = ROLLOUTS * (1 + STAFF_OF_EACH)
PATIENCE_SECONDS = 180
SETTLING_SECONDS = 1
"""By when a relay has written down which mails were taken; it does so 50 ms after it has heard of it."""
MOST_SECONDS = 900
"""After the kill: leases of two minutes, and flow runs that are taken up again after five, end in that time."""
NO_ANSWER = (502, 503, 504)
"""What the proxy says when the process that it had asked is gone."""
_HIDDEN = re.compile(r'name="(digest|shown)" value="([^"]*)"')


class Patient(httpx.HTTPTransport):
    """Asks again while nobody answers: whoever stands in front says so, or the connection ends."""

    def __init__(self) -> None:
        super().__init__()
        self.asked_again = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Return the first answer that is one. Raises httpx.TransportError when there is none in PATIENCE_SECONDS."""
        until = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                answer = super().handle_request(request)
                if answer.status_code not in NO_ANSWER or time.monotonic() > until:
                    return answer
                answer.close()
            except httpx.TransportError:
                if time.monotonic() > until:
                    raise
            self.asked_again += 1
            time.sleep(0.2)


@dataclass
class Killed:
    """What was killed, and what it had in its hands."""

    names: list[str]
    at: datetime
    mails_in_hand: set[str]
    """Message-IDs of mails that the relay had brought, and had not heard of yet that they were taken."""
    mails_just_brought: set[str]
    """Those, and others of which it may not have written down yet that they were taken."""
    decisions_before: int
    flow_runs: set[str]
    """The flow runs that the worker was running."""


@dataclass
class Story:
    """Everybody who has a part in it."""

    cluster: Cluster
    office: PostOffice
    etappe: Etappe
    rollouts: list[str] = field(default_factory=list)
    answers: Counter[int] = field(default_factory=Counter)
    asked_again: int = 0
    killed: Killed | None = None
    completed_after: float = 0.0
    verified: str = ""
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _is_killed: threading.Event = field(default_factory=threading.Event)

    def tell(self) -> None:
        """Let everybody decide, kill one of each meanwhile, and wait until all is done."""
        self._prepare()
        self._start_all()
        with ThreadPoolExecutor(PEOPLE_AT_ONCE) as people:
            deciding = [people.submit(self._decide, number) for number in range(ROLLOUTS)]
            eventually(lambda: _done(deciding) >= DECIDED_BEFORE, "the first rollouts being decided", PATIENCE_SECONDS)
            self.killed = self._kill_one_of_each()
            self._is_killed.set()
            eventually(lambda: _done(deciding) >= DECIDED_BEFORE_SERVICES, "more being decided", PATIENCE_SECONDS)
            self.cluster.replicas["prefect-services"][0].kill()
            self.cluster.start_again("prefect-services")
            for one in deciding:
                one.result()
        eventually(self._is_all_done, "everything being done", MOST_SECONDS)
        self.completed_after = (datetime.now(UTC) - self.killed.at).total_seconds()
        self.verified = self.cluster.execute("web", "etappe", "audit", "verify")
        print(self._figures(self.killed))

    def states(self) -> Counter[str]:
        """The states of all rollouts in Etappe's database."""
        with self.etappe.installation.db.read() as session:
            return Counter(str(state) for state in session.scalars(select(Rollout.state)))

    def messages(self) -> list[Message]:
        """All that was ever to be said to anybody."""
        with self.etappe.installation.db.read() as session:
            return list(session.scalars(select(Message)))

    def flow_runs(self) -> dict[str, str]:
        """The flow runs of all rollouts in Prefect, with their states."""
        ids = [self.etappe.row(rollout_id).flow_run_id for rollout_id in self.rollouts]
        found = self.etappe.post("flow_runs/filter", flow_runs={"id": {"any_": [one for one in ids if one]}})
        return {run["id"]: run["state_name"] for run in found}

    def written(self) -> tuple[int, int]:
        """How many states of task runs Prefect's recorder has written, and in how many transactions."""
        with psycopg.connect(self.cluster.database_url("prefect")) as connection:
            row = connection.execute("SELECT count(*), count(DISTINCT xmin::text) FROM task_run_state").fetchone()
        assert row is not None
        return row[0], row[1]

    def _figures(self, killed: Killed) -> str:
        """What happened, in numbers."""
        mails = self.office.by_id()
        came_again = sum(len(mails[one]) > 1 for one in killed.mails_in_hand)
        twice = sum(len(same) > 1 for same in mails.values())
        states, transactions = self.written()
        processes = sum(map(self.etappe.processes, self.flow_runs()))
        taken_up = sum(relay.log.count("is taken up again") for relay in self.cluster.replicas["relay"])
        lines = [
            f"{ROLLOUTS} rollouts; {DECISIONS} decisions, {self.asked_again} of them asked again since nobody answered",
            f"killed after {killed.decisions_before} decisions: {', '.join(killed.names)}",
            f"they had in hand: {len(killed.mails_in_hand)} mails, {len(killed.flow_runs)} running flow runs",
            f"{len(mails)} mails, {twice} of them twice; of those in hand {came_again} came again",
            f"{processes} processes for the flow runs; {taken_up} times one was taken up again",
            f"Prefect's recorder wrote {states} states in {transactions} transactions",
            f"all was done {self.completed_after:.0f} s after the kill",
            f"started again while they started: {dict(self.cluster.restarts) or 'none'}",
        ]
        return "\n" + "\n".join(lines)

    def _prepare(self) -> None:
        self.cluster.execute("web", "etappe", "people", "import", "plans/people/sample.yaml")

    def _start_all(self) -> None:
        """Start one half by Prefect's form, and the other one by the API."""
        said = self.cluster.execute("web", "etappe", "token", "create", LEA, "--name", "cluster")
        [token] = re.findall(r"etappe_\w+", said)
        for number in range(ROLLOUTS):
            body = _rollout(number)
            if number % 2:
                headers = {"Authorization": f"Bearer {token}"}
                self._ask("POST", f"{self.cluster.at.base_url}/api/v1/rollouts", 201, json=body, headers=headers)
            else:
                self.etappe.press_run(**body, requester=LEA)
        eventually(lambda: self._found() == ROLLOUTS, "all rollouts being started", PATIENCE_SECONDS)

    def _found(self) -> int:
        with self.etappe.installation.db.read() as session:
            self.rollouts = list(session.scalars(select(Rollout.id)))
        return len(self.rollouts)

    def _decide(self, number: int) -> None:
        """Let all who are asked in one rollout decide."""
        if number >= ROLLOUTS - DECIDED_AFTER:
            self._is_killed.wait(PATIENCE_SECONDS)
        self._answer(self._mail_to(_board(number)))
        for person in _staff(number):
            self._answer(self._mail_to(person))

    def _mail_to(self, person: str) -> Mail:
        def come() -> list[Mail]:
            return [mail for mail in list(self.office.mails) if mail.recipient == person and mail.asks]

        mails: list[Mail] = eventually(come, f"a mail to {person}", PATIENCE_SECONDS)
        return mails[0]

    def _answer(self, mail: Mail) -> None:
        """Open the link, and press the button of the page that it opens."""
        page = self._ask("GET", mail.link)
        form = {"decision": "approve", "code": mail.code, **dict(_HIDDEN.findall(page.text))}
        answer = self._ask("POST", mail.link, data=form)
        with self._lock:
            self.answers[answer.status_code] += 1

    def _ask(self, method: str, url: str, status: int = 200, **more: Any) -> httpx.Response:
        """Ask, and ask again when nobody answers."""
        patient = Patient()
        with httpx.Client(trust_env=False, timeout=PATIENCE_SECONDS, transport=patient) as client:
            answer = client.request(method, url, **more)
        with self._lock:
            self.asked_again += patient.asked_again
        assert answer.status_code == status, answer.text
        return answer

    def _kill_one_of_each(self) -> Killed:
        """Kill the relay that follows in Prefect, and the worker that runs more, while both have something in hand."""
        services = self.cluster.replicas
        relay = next(each for each in services["relay"] if each.ports_to(self.cluster.at.postgres) & self._leads())
        self.office.slow = True
        time.sleep(SETTLING_SECONDS)
        eventually(
            lambda: self.office.unanswered(self._mail_ports(relay)) and _flow_runs(self._busier()),
            "a relay and a worker that have something in hand", PATIENCE_SECONDS,
        )  # fmt: skip
        worker, ports = self._busier(), self._mail_ports(relay)
        killed = [services["web"][0], relay, worker, services["prefect-server"][0]]
        flow_runs, decided = _flow_runs(worker), self.answers.total()
        for replica in killed:
            replica.kill()
        at = datetime.now(UTC)
        in_hand = self.office.unanswered(ports)
        just_brought = self.office.brought(ports, at - timedelta(seconds=SETTLING_SECONDS)) | in_hand
        self.office.slow = False
        return Killed([replica.name for replica in killed], at, in_hand, just_brought, decided, flow_runs)

    def _leads(self) -> set[int]:
        """From which port the relay that follows in Prefect has its turn."""
        name = "(hashtext('follow_in_prefect')::bigint & 4294967295)::oid"
        query = text(
            "SELECT client_port FROM pg_locks JOIN pg_stat_activity USING (pid) "
            f"WHERE locktype = 'advisory' AND granted AND objsubid = 2 AND objid = {name}"
        )
        with self.etappe.installation.db.read() as session:
            return set(session.scalars(query))

    def _mail_ports(self, relay: Replica) -> set[int]:
        return relay.ports_to(self.cluster.at.smtp)

    def _busier(self) -> Replica:
        workers: Sequence[Replica] = self.cluster.replicas["worker"]
        return max(workers, key=lambda worker: len(_flow_runs(worker)))

    def _is_all_done(self) -> bool:
        """Whether people have been told, and Prefect shows, all there is; looked at every two seconds."""
        time.sleep(2)
        return (
            all(message.state is not MessageState.PENDING for message in self.messages())
            and all(row.painted >= row.sequence for row in map(self.etappe.row, self.rollouts))
            and Counter(self.flow_runs().values()) == {"Completed": ROLLOUTS}
        )


def story_of(cluster: Cluster, office: PostOffice, home: Path) -> Story:
    """A story of this cluster, which is up."""
    installation = Installation(Settings.from_environment(cluster.settings(home)))
    user, password = CREDENTIALS.split(":")
    prefect = f"{cluster.at.prefect_url}/api/"
    api = httpx.Client(base_url=prefect, auth=(user, password), timeout=60, trust_env=False, transport=Patient())
    return Story(cluster, office, Etappe(installation, api, Relay(installation)))


def _board(number: int) -> str:
    return f"board-{number}@example.org"


def _staff(number: int) -> list[str]:
    return [f"staff-{number}-{place}@example.org" for place in range(STAFF_OF_EACH)]


def _rollout(number: int) -> dict[str, Any]:
    """What starts one, in the words that Prefect's form and the API share."""
    return {
        "plan": "office-policy",
        "title": f"Policy {number}",
        "people": {"executive-board": [_board(number)], "all-staff": _staff(number)},
        "inputs": {"policy": f"Rule {number} applies."},
    }


def _flow_runs(worker: Replica) -> set[str]:
    """The flow runs that a worker runs at this moment."""
    return {run for each in worker.family if (run := each.environ().get("PREFECT__FLOW_RUN_ID"))}


def _done(deciding: list[Future[None]]) -> int:
    return sum(one.done() for one in deciding)
