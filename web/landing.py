"""The first page: what this is, and where to go."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from web import mailbox, pages
from web.house import House


def routes(house: House) -> APIRouter:
    """Return the route of the first page."""
    router = APIRouter()

    @router.api_route("/", methods=["GET", "HEAD"])
    def first_page(request: Request) -> Response:
        facts = {"mailbox": mailbox.may_be_read(house, request), "prefect_ui_url": house.prefect_ui_url}
        return pages.page("landing.html", pages.visitor_words(request), facts)

    return router
