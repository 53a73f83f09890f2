"""The board: a page with all rollouts, those that need somebody first. It changes nothing, and asks for no name."""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import urlsplit

from fastapi import APIRouter, Request, Response

from domain import links
from domain.errors import LinkUnknown, UnknownRollout
from notifications.language import Words
from operations.board import COUNTED, Part, show_board
from operations.board_rows import Awaited
from web import decide, pages
from web.house import House
from web.rollout_page import TONES


def routes(house: House) -> APIRouter:
    """Return the route of /board/{token}."""
    router = APIRouter()

    @router.api_route("/board/{token:path}", methods=["GET", "HEAD"])
    def show(token: str, request: Request, show: str = "", before: str = "") -> Response:
        try:
            return _page(house, decide.as_mailed(token), request, show, before)
        except (LinkUnknown, UnknownRollout):
            return decide.without_page(pages.visitor_words(request), LinkUnknown(), {})

    return router


def _page(house: House, token: str, request: Request, show: str, before: str) -> Response:
    """Raises LinkUnknown, and UnknownRollout for a page that begins after a rollout that is not there."""
    if not links.is_board_token(house.settings.secret_keys, token):
        raise LinkUnknown()
    return page(house, pages.visitor_words(request), _part(show), before)


def page(house: House, words: Words, part: Part | None = None, before: str = "") -> Response:
    """Return the board, or the page of a part that begins after a rollout, in these words. Raises UnknownRollout."""
    board = show_board(house.database, house.now(), words.language, part, before)
    prefix, key = urlsplit(house.settings.base_url).path, house.settings.secret_keys[0]

    @lru_cache
    def words_in(time_zone: str) -> Words:
        return Words(words.language, time_zone)

    facts = {
        "board": board,
        "part": part,
        "address": links.board(prefix, key),
        "page_of": lambda rollout_id: links.rollout_page(prefix, key, rollout_id),
        "words_in": words_in,
        "count": lambda number: words.number(number) if number < COUNTED else f"{words.number(COUNTED - 1)}+",
        "waits_for": _waits_for,
        "tones": TONES,
        "prefect_ui_url": house.prefect_ui_url,
    }
    return pages.page("board.html", words, facts)


def _waits_for(one: Awaited, words: Words) -> str:
    """Return whom a gate or a stage waits for, in these words; whoever is away stands there with their last day."""
    names = (words.away(words.who(person.name, person.on_behalf_of), person.away_until) for person in one.people)
    people = ", ".join(names)
    if one.others:
        return words.text("Waits for {people} and {count} more.", people=people, count=one.others)
    return words.text("Waits for {people}.", people=people)


def _part(show: str) -> Part | None:
    """Raises LinkUnknown for what is no part of the board."""
    try:
        return Part(show) if show else None
    except ValueError:
        raise LinkUnknown() from None
