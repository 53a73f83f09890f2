"""What Prefect's API says of itself, asked without importing Prefect, which takes seconds."""

from __future__ import annotations

import base64
import json
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlsplit

from settings import WORK_POOL

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
PATIENCE_SECONDS = 5

_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True)
class PrefectFacts:
    """One Prefect API. `url` ends in /api; `credentials` are “user:password”, or "" when it is open."""

    url: str
    credentials: str = field(default="", repr=False)

    @property
    def pages(self) -> str:
        """The address of Prefect's pages."""
        return self.url.rstrip("/").removesuffix("/api")

    @property
    def is_local(self) -> bool:
        """Whether only this machine reaches it."""
        return urlsplit(self.url).hostname in LOOPBACK

    def answers(self) -> bool:
        """Whether the API is there."""
        try:
            self._ask("/health")
        except (OSError, ValueError):
            return False
        return True

    def version(self) -> str:
        """Return the server's version. Raises OSError when it does not say."""
        return str(self._ask("/admin/version"))

    def is_open_to_everybody(self) -> bool:
        """Whether it answers without credentials. Raises OSError when it does not answer at all."""
        try:
            PrefectFacts(self.url)._ask("/admin/version")
        except urllib.error.HTTPError as refusal:
            return refusal.code not in (401, 403)
        return True

    def deployment_id(self, name: str) -> str | None:
        """Return the id of a deployment such as “rollout/start”, None when it is not registered. Raises OSError."""
        try:
            return str(self._ask(f"/deployments/name/{quote(name)}")["id"])
        except urllib.error.HTTPError as refusal:
            if refusal.code == 404:
                return None
            raise

    def last_heartbeat(self) -> datetime | None:
        """Return when a worker of our work pool last reported (aware), None when none ever has. Raises OSError."""
        try:
            workers = self._ask(f"/work_pools/{WORK_POOL}/workers/filter", {})
        except urllib.error.HTTPError as refusal:
            if refusal.code == 404:
                return None
            raise
        return max((datetime.fromisoformat(worker["last_heartbeat_time"]) for worker in workers), default=None)

    def _ask(self, path: str, body: dict[str, Any] | None = None) -> Any:
        content = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url.rstrip("/") + path, content)  # noqa: S310  the operator's own address
        request.add_header("Content-Type", "application/json")
        if self.credentials:
            request.add_header("Authorization", "Basic " + base64.b64encode(self.credentials.encode()).decode())
        with _direct.open(request, timeout=PATIENCE_SECONDS) as answer:
            return json.load(answer)
