"""How long people wait for mail: from Run in Prefect to the first one, and from a decision to the next stage's first.

Starts Etappe as `etappe start` does (its own Prefect, a relay, a warm worker) in a temporary home, with a mail
server of this script's that notes when it has taken a mail. Run: python benchmarks/first_mail.py [how many]
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes
from pathlib import Path
from typing import TypeVar

import httpx
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from benchmarks.kit.processes import free_port
from cli.parts import Layout, all_parts
from domain import links
from models.requests import Request, RequestState, requests_of
from models.rollouts import rollout_of_flow_run
from operations.installation import Installation
from operations.record_decision import DecisionForm, record_decision
from operations.show_request import show_request
from worker.parts import Crew

PLAN = "social-media-introduction"
REQUESTER = "lea.brunner@example.com"
PATIENCE_SECONDS = 120
Found = TypeVar("Found")


@dataclass
class Mails:
    """A mail server that notes when it took the first request of which rollout's which gate."""

    first: dict[tuple[str, str], float] = field(default_factory=dict)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Take a mail."""
        mail = message_from_bytes(envelope.original_content or b"")
        if mail["X-Etappe-Kind"] == "request":
            self.first.setdefault((mail["X-Etappe-Rollout"], mail["X-Etappe-Gate"]), time.monotonic())
        return "250 taken"


@dataclass(frozen=True)
class Etappe:
    """A running Etappe: its installation, Prefect's API, and its mail server."""

    here: Installation
    api: httpx.Client
    mails: Mails

    def press_run(self) -> tuple[str, float]:
        """Start a rollout as Prefect's form does; return it, and the seconds until its first mail was taken."""
        deployment = self.api.get("deployments/name/rollout/start").raise_for_status().json()
        budget = [{"item": "Monitoring", "amount": 12000}]
        given = {"plan": PLAN, "title": "Measured", "requester": REQUESTER, "budget": budget}
        began = time.monotonic()
        answer = self.api.post(f"deployments/{deployment['id']}/create_flow_run", json={"parameters": given})
        flow_run_id = str(answer.raise_for_status().json()["id"])
        rollout_id = until(lambda: self._rollout(flow_run_id))
        return rollout_id, self._first_mail(rollout_id, "executive-sign-off") - began

    def decide(self, rollout_id: str) -> float:
        """Let the executive board say yes; return the seconds from the last yes to the next stage's first mail."""
        for request in self._open_requests(rollout_id):
            began = time.monotonic()
            self._approve(request)
        return self._first_mail(rollout_id, "concept-review") - began

    def all_wait(self) -> bool:
        """Whether every rollout's flow run has suspended itself, so that no process disturbs what is measured."""
        runs = self.api.post("flow_runs/filter", json={}).raise_for_status().json()
        return all(run["state_type"] == "PAUSED" for run in runs if run["name"] == "Measured")

    def _rollout(self, flow_run_id: str) -> str | None:
        with self.here.db.read() as session:
            rollout = session.scalars(rollout_of_flow_run(flow_run_id)).first()
            return rollout.id if rollout else None

    def _first_mail(self, rollout_id: str, gate: str) -> float:
        return until(lambda: self.mails.first.get((rollout_id, gate)))

    def _open_requests(self, rollout_id: str) -> list[Request]:
        with self.here.db.read() as session:
            return [row for row in session.scalars(requests_of(rollout_id)) if row.state is RequestState.OPEN]

    def _approve(self, request: Request) -> None:
        key, now = self.here.keys[0], datetime.now(UTC)
        token = links.link_token(key, request.id, request.link_number)
        code = links.code(key, request.id, request.link_number)
        form = DecisionForm("approve", code, show_request(self.here.db, token, now).digest)
        record_decision(self.here.db, self.here.keys, token, form, now)


def until(look: Callable[[], Found | None]) -> Found:
    """Wait until there is something to find, and return it."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if (found := look()) is not None:
            return found
        time.sleep(0.002)
    raise SystemExit(f"Waited {PATIENCE_SECONDS} seconds in vain.")


def main() -> None:
    """Start so many rollouts one after the other, let the board decide each, and print what both took."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    mails = Mails()
    server = Controller(mails, hostname="127.0.0.1", port=free_port())
    server.start()
    with tempfile.TemporaryDirectory() as folder, Crew(Path(folder) / "logs") as crew:
        smtp_url = f"smtp://127.0.0.1:{server.port}"
        layout = Layout(Path(folder), free_port(), free_port(), free_port(), smtp_url=smtp_url)
        for part in all_parts(layout):
            crew.start(part)
        with httpx.Client(base_url=f"{layout.prefect.url}/", timeout=30, trust_env=False) as api:
            here = Installation(layout.settings())
            measured = [_measure(Etappe(here, api, mails)) for _ in range(count)]
            here.db.close()
    server.stop()
    print(f"{count} rollouts of {PLAN}, {os.cpu_count()} cores, warm worker   median (min … max)")
    _say("Run in Prefect to the first mail", [start for start, _ in measured])
    _say("decision to the next stage's first mail", [decision for _, decision in measured])


def _measure(etappe: Etappe) -> tuple[float, float]:
    rollout_id, start = etappe.press_run()
    until(lambda: etappe.all_wait() or None)
    return start, etappe.decide(rollout_id)


def _say(what: str, seconds: list[float]) -> None:
    median, least, most = statistics.median(seconds), min(seconds), max(seconds)
    print(f"{what:<41} {median * 1000:7.0f} ms ({least * 1000:.0f} … {most * 1000:.0f})")


if __name__ == "__main__":
    main()
