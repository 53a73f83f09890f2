"""Puts the API together, with its description (OpenAPI) at /api/v1/openapi.json."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from web.api import absences, attachments, checks, delegations, gates, looking_after, measurements, migration, rollouts
from web.api.problems import MEDIA_TYPE, Problem, answer_refusals
from web.house import House

PREFIX = "/api/v1"
VERSION = "1"
_READING = (400, 401, 403, 404, 410, 422)
_WRITING = (400, 401, 403, 404, 409, 410, 413, 415, 422)
_ABOUT = (
    "Everything is done as the person that your token acts for: `Authorization: Bearer etappe_…`, made by "
    "`etappe token create`. Look at a question first; a decision gives back its `digest`, so that nobody decides "
    "about something else than they saw. Refusals are problems (RFC 9457)."
)


def create_api(house: House) -> FastAPI:
    """Return the API as an application of its own, to be mounted at /api/v1."""
    api = FastAPI(
        title="Etappe",
        version=VERSION,
        description=_ABOUT,
        openapi_url="/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=_operation_id,
    )
    api.state.house = house
    api.state.check_keys = checks.known_keys(house.settings)
    for part in (rollouts, gates, looking_after, migration, attachments, measurements, delegations, absences, checks):
        api.include_router(part.router)
    answer_refusals(api)
    api.openapi = lambda: _described(api)  # type: ignore[method-assign]  # FastAPI's own way to extend it
    return api


def _operation_id(route: APIRoute) -> str:
    return f"{route.tags[0]}-{route.name}".rstrip("_") if route.tags else route.name


def _described(api: FastAPI) -> dict[str, Any]:
    if api.openapi_schema is None:
        found = get_openapi(title=api.title, version=api.version, description=api.description, routes=api.routes,
                            servers=[{"url": PREFIX}])  # fmt: skip
        components = found["components"]["schemas"]
        components["Problem"] = Problem.model_json_schema()
        for unused in ("HTTPValidationError", "ValidationError"):
            components.pop(unused, None)
        for path in found["paths"].values():
            for method, operation in path.items():
                operation["responses"] |= _problems(_READING if method == "get" else _WRITING)
        api.openapi_schema = found
    return api.openapi_schema


def _problems(statuses: tuple[int, ...]) -> dict[str, Any]:
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {str(status): {"description": HTTPStatus(status).phrase, "content": content} for status in statuses}
