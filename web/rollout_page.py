"""The page of a rollout: where it stands, what it waits for and why. It changes nothing, and asks for no name."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import APIRouter, Request, Response

from domain.errors import LinkUnknown, UnknownRollout
from domain.explanation import split_command
from domain.links import is_page_token
from domain.states import GateState, RolloutState, StageState
from notifications.language import Words
from operations.explain_rollout import explain_rollout
from web import decide, pages, visitor
from web.house import House

TONES: Mapping[RolloutState | StageState | GateState, str] = {
    RolloutState.OPEN: "wait",
    RolloutState.HELD: "bad",
    RolloutState.COMPLETED: "good",
    RolloutState.KILLED: "bad",
    StageState.OPEN: "wait",
    StageState.HELD: "bad",
    StageState.PASSED: "good",
    StageState.FAILED: "bad",
    GateState.OPEN: "wait",
    GateState.PASSED: "good",
    GateState.WAIVED: "good",
    GateState.REJECTED: "bad",
    GateState.EXPIRED: "bad",
}
"""How a state is coloured; what is not named here has not begun, or is over without any effect."""


def routes(house: House) -> APIRouter:
    """Return the route of /rollouts/{id}/{token}."""
    router = APIRouter()

    @router.api_route("/rollouts/{rollout_id}/{token:path}", methods=["GET", "HEAD"])
    def show(rollout_id: str, token: str, request: Request) -> Response:
        try:
            return _page(house, rollout_id, decide.as_mailed(token), request)
        except (LinkUnknown, UnknownRollout):
            return decide.without_page(pages.visitor_words(request), LinkUnknown(), {})

    return router


def _page(house: House, rollout_id: str, token: str, request: Request) -> Response:
    """Raises LinkUnknown and UnknownRollout: nobody learns which rollouts there are by trying addresses."""
    if not is_page_token(house.settings.secret_keys, rollout_id, token):
        raise LinkUnknown()
    language = visitor.language_of(request, otherwise="")
    shown = explain_rollout(house.database, rollout_id, house.now(), language)
    words = Words(shown.language, shown.time_zone)
    facts = {"rollout": shown, "tones": TONES, "split_command": split_command}
    return pages.page("rollout.html", words, facts)
