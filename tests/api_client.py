"""Somebody who calls the API with a token, on real operations and a real database."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient
from httpx import Response

from operations.tokens import make_token
from settings import Settings
from tests.company import KEYS, PEOPLE, Company
from web.app import create_app

ANNA, BEN, CARLA, DORA = "anna@example.com", "ben@example.com", "carla@example.com", "dora@example.com"
EMIL, ADMIN = "emil@example.com", "admin@example.com"
WITH_ADMIN = PEOPLE.replace("people:\n", f"people:\n  - {{email: {ADMIN}, name: Ada Min, language: en}}\n").replace(
    "roles:\n", f"roles:\n  administrator: [{ADMIN}]\n"
)


class Api:
    """The API of a company; each call is somebody's."""

    def __init__(self, company: Company, home: Path, **settings: str) -> None:
        given = {"ETAPPE_HOME": str(home), "ETAPPE_SECRET_KEYS": KEYS[0].decode(), **settings}
        app = create_app(Settings.from_environment(given), company.db, now=lambda: company.now)
        self.app, self.company = app, company
        self.client = TestClient(app, raise_server_exceptions=False)
        self._tokens: dict[str, str] = {}

    def token(self, person: str) -> str:
        """A token of a person, made on first use."""
        if person not in self._tokens:
            self._tokens[person] = make_token(self.company.db, person, "tests", self.company.now).token
        return self._tokens[person]

    def get(self, person: str, path: str, **more: Any) -> Response:
        """Look at something as this person."""
        answer: Response = self.client.get(f"/api/v1{path}", headers=self.headers(person), **more)
        return answer

    def post(self, person: str, path: str, body: Any = None, **more: Any) -> Response:
        """Send JSON as this person."""
        answer: Response = self.client.post(f"/api/v1{path}", headers=self.headers(person), json=body, **more)
        return answer

    def at(self, gate: str = "gate") -> str:
        """The path of a gate of the rollout that is talked about."""
        return f"/rollouts/{self.company.rollout_id}/gates/{gate}"

    def decides(self, person: str, decision: str = "approve", gate: str = "gate", **words: str) -> Response:
        """Let a person look at a gate and decide it."""
        behalf = {"on_behalf_of": words["on_behalf_of"]} if "on_behalf_of" in words else {}
        digest = self.get(person, self.at(gate), params=behalf).json().get("digest", "0" * 64)
        return self.post(person, f"{self.at(gate)}/decisions", {"decision": decision, "digest": digest, **words})

    def headers(self, person: str) -> dict[str, str]:
        """What says who calls."""
        return {"Authorization": f"Bearer {self.token(person)}"}


def refused(answer: Response, status: int, code: str) -> dict[str, Any]:
    """Check that an answer is a problem of this kind, and return it."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    told: dict[str, Any] = answer.json()
    assert (answer.status_code, told["status"], told["code"]) == (status, status, code), told
    assert told["detail"]
    return told
