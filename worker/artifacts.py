"""Artifacts on Prefect's pages, kept up to date in place: a change makes no new version.

By plain requests: the client's own methods for artifacts keep a web socket open in a thread of their own, for events
about them, and while Prefect is down that thread fills the log.
"""

from __future__ import annotations

from http import HTTPStatus

from prefect.client.orchestration import SyncPrefectClient
from prefect.exceptions import PrefectHTTPStatusError


def put(client: SyncPrefectClient, artifact_id: str, shown: dict[str, str], where: dict[str, str]) -> str:
    """Show `shown` (data, description) in an artifact, and return its id.

    Without an id, or when somebody has deleted it in Prefect, a new one is made; `where` says its type and place.
    """
    return _update(client, artifact_id, shown) or _create(client, {**where, **shown})


def _create(client: SyncPrefectClient, wanted: dict[str, str]) -> str:
    return str(client.request("POST", "/artifacts/", json=wanted).json()["id"])


def _update(client: SyncPrefectClient, artifact_id: str, shown: dict[str, str]) -> str:
    """Return the artifact's id; "" when there is none, or somebody has deleted it in Prefect."""
    if not artifact_id:
        return ""
    try:
        client.request("PATCH", "/artifacts/{id}", json=shown, path_params={"id": artifact_id})
    except PrefectHTTPStatusError as refusal:
        if refusal.response.status_code != HTTPStatus.NOT_FOUND:
            raise
        return ""
    return artifact_id
