"""The page on which somebody says that they are away, or back, and who answers meanwhile, by the link of a request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, Request, Response

from domain.errors import EtappeError, InvalidInput, LinkUnknown, LinkVoid, WrongCode
from notifications.language import Words
from operations.away_by_link import AwayForm, AwayPage, be_away_by_link, come_back_by_link, end_by_link, show_away
from web import decide, errors, pages, wording
from web.forms import Posted, posted
from web.house import House
from web.refused import Problems, Refused

_FIELDS = ("to", "from", "until", "code")
_NEEDED = ("from", "until", "code")
_ENDING = ("back", "end")
"""What is ended: an absence, or what was lent without one."""
_MOST_DIGITS = 9


def routes(house: House) -> APIRouter:
    """Return the routes of /decide/{token}/away, which was called /delegate once; pages may still be open."""
    router = APIRouter()

    @router.api_route("/decide/{token}/away", methods=["GET", "HEAD"])
    @router.api_route("/decide/{token}/delegate", methods=["GET", "HEAD"])
    def show(token: str, request: Request) -> Response:
        try:
            return _Look(house, decide.as_mailed(token), Posted()).show()
        except (LinkUnknown, LinkVoid) as refusal:
            return decide.without_page(pages.visitor_words(request), refusal, {})

    @router.post("/decide/{token}/away")
    @router.post("/decide/{token}/delegate")
    def change(token: str, request: Request, form: Annotated[Posted, Depends(posted)]) -> Response:
        try:
            return _Look(house, decide.as_mailed(token), form).change()
        except (LinkUnknown, LinkVoid) as refusal:
            return decide.without_page(pages.visitor_words(request), refusal, {})

    return router


@dataclass(frozen=True)
class _Look:
    """One look, or one POST, at one link."""

    house: House
    token: str
    form: Posted

    def show(self) -> Response:
        """Return the page as it is. Raises LinkUnknown and LinkVoid: then there is none."""
        return self._page(self._shown())

    def change(self) -> Response:
        """Enter or end what was typed and show what holds then, or show the page again with what is wrong."""
        words = _words_for(self._shown())
        if problems := self.form.problems(*self._fields):
            told = Problems(general=[words.say(problem) for problem in problems])
            alert = words.text("This form cannot be read. Nothing was recorded.")
            return self._page(self._shown(), Refused(422 if self.form.is_form else 415, alert, self.form.typed, told))
        try:
            return self._page(self._change())
        except LinkVoid:
            raise
        except WrongCode as refusal:
            if refusal.tries_left == decide.WRONG_CODES_USED_UP:
                return decide.renewed(words, refusal, {})
            return self._refused(words, refusal)
        except EtappeError as refusal:
            return self._refused(words, refusal)

    @property
    def _ended(self) -> str:
        """Which kind of thing is to be ended; "" when something is entered."""
        return next((kind for kind in _ENDING if kind in self.form.typed), "")

    @property
    def _fields(self) -> tuple[Sequence[str], Sequence[str]]:
        """The fields that the form may have, and those that it must."""
        return ((self._ended, "code"),) * 2 if self._ended else (_FIELDS, _NEEDED)

    def _shown(self) -> AwayPage:
        return show_away(self.house.database, self.token, self.house.now())

    def _change(self) -> AwayPage:
        db, keys, now, typed = self.house.database, self.house.settings.secret_keys, self.house.now(), self.form.typed
        if self._ended:
            ended = come_back_by_link if self._ended == "back" else end_by_link
            return ended(db, keys, self.token, _number(typed[self._ended]), typed["code"], now)
        form = AwayForm(typed.get("to", ""), typed["from"], typed["until"], typed["code"])
        return be_away_by_link(db, keys, self.token, form, now)

    def _refused(self, words: Words, refusal: EtappeError) -> Response:
        of = f"code-{self._ended}-{self.form.typed[self._ended]}" if self._ended else "code"
        problems = _problems(words, refusal, of)
        alert = errors.told(words, refusal)
        if problems.in_fields and not isinstance(refusal, WrongCode):
            alert = words.text("Something is missing or cannot be used; nothing was recorded yet.")
        return self._page(self._shown(), Refused(errors.status_of(refusal), alert, self.form.typed, problems))

    def _page(self, found: AwayPage, refused: Refused | None = None) -> Response:
        facts = {
            "page": found,
            "q": found.question,
            "here": f"{urlsplit(self.house.settings.base_url).path}/decide/{self.token}",
            "title": wording.ENTERED_TITLE if found.entered else wording.AWAY_TITLE,
            "alert": refused.alert if refused else "",
            "problems": refused.problems if refused else Problems(),
            "typed": refused.typed if refused else {"from": found.today.isoformat()},
        }
        return pages.page("away.html", _words_for(found), facts, refused.status if refused else 200)


def _number(typed: str) -> int:
    return int(typed) if typed.isascii() and typed.isdecimal() and len(typed) <= _MOST_DIGITS else 0


def _problems(words: Words, refusal: EtappeError, code: str) -> Problems:
    if isinstance(refusal, WrongCode):
        return Problems({code: errors.told(words, refusal)})
    fields: Mapping[str, str] = {}
    if isinstance(refusal, InvalidInput):
        fields = {name: words.say(refusal.fields[name]) for name in _FIELDS if name in refusal.fields}
    return Problems(fields)


def _words_for(found: AwayPage) -> Words:
    return Words(found.reader.language, found.reader.time_zone)
