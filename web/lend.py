"""The page on which somebody lends their voice for some days, or ends that, by the link of what they are asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, Request, Response

from domain.errors import EtappeError, InvalidInput, LinkUnknown, LinkVoid, WrongCode
from notifications.language import Words
from operations.delegate_by_link import LendingForm, LendingPage, delegate_by_link, end_by_link, show_lending
from web import decide, errors, pages, wording
from web.forms import Posted, posted
from web.house import House
from web.refused import Problems, Refused

_GIVE = ("to", "from", "until", "code")
_END = ("end", "code")
_MOST_DIGITS = 9


def routes(house: House) -> APIRouter:
    """Return the routes of /decide/{token}/delegate."""
    router = APIRouter()

    @router.api_route("/decide/{token}/delegate", methods=["GET", "HEAD"])
    def show(token: str, request: Request) -> Response:
        try:
            return _Lending(house, decide.as_mailed(token), Posted()).show()
        except (LinkUnknown, LinkVoid) as refusal:
            return decide.without_page(pages.visitor_words(request), refusal, {})

    @router.post("/decide/{token}/delegate")
    def lend(token: str, request: Request, form: Annotated[Posted, Depends(posted)]) -> Response:
        try:
            return _Lending(house, decide.as_mailed(token), form).change()
        except (LinkUnknown, LinkVoid) as refusal:
            return decide.without_page(pages.visitor_words(request), refusal, {})

    return router


@dataclass(frozen=True)
class _Lending:
    """One look, or one POST, at one link."""

    house: House
    token: str
    form: Posted

    def show(self) -> Response:
        """Return the page as it is. Raises LinkUnknown and LinkVoid: then there is none."""
        return self._page(self._shown())

    def change(self) -> Response:
        """Lend or end what was typed and show what holds then, or show the page again with what is wrong."""
        words = _words_for(self._shown())
        if problems := self.form.problems(self._fields, self._fields):
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
    def _ends(self) -> bool:
        return "end" in self.form.typed

    @property
    def _fields(self) -> Sequence[str]:
        return _END if self._ends else _GIVE

    def _shown(self) -> LendingPage:
        return show_lending(self.house.database, self.token, self.house.now())

    def _change(self) -> LendingPage:
        db, keys, now, typed = self.house.database, self.house.settings.secret_keys, self.house.now(), self.form.typed
        if self._ends:
            return end_by_link(db, keys, self.token, _number(typed["end"]), typed["code"], now)
        form = LendingForm(typed["to"], typed["from"], typed["until"], typed["code"])
        return delegate_by_link(db, keys, self.token, form, now)

    def _refused(self, words: Words, refusal: EtappeError) -> Response:
        problems = _problems(words, refusal, f"code-{self.form.typed['end']}" if self._ends else "code")
        alert = errors.told(words, refusal)
        if problems.in_fields and not isinstance(refusal, WrongCode):
            alert = words.text("Something is missing or cannot be used; nothing was recorded yet.")
        return self._page(self._shown(), Refused(errors.status_of(refusal), alert, self.form.typed, problems))

    def _page(self, found: LendingPage, refused: Refused | None = None) -> Response:
        facts = {
            "page": found,
            "q": found.question,
            "here": f"{urlsplit(self.house.settings.base_url).path}/decide/{self.token}",
            "title": wording.LENT_TITLE if found.given else wording.LEND_TITLE,
            "alert": refused.alert if refused else "",
            "problems": refused.problems if refused else Problems(),
            "typed": refused.typed if refused else {"from": found.today.isoformat()},
        }
        return pages.page("lend.html", _words_for(found), facts, refused.status if refused else 200)


def _number(typed: str) -> int:
    return int(typed) if typed.isascii() and typed.isdecimal() and len(typed) <= _MOST_DIGITS else 0


def _problems(words: Words, refusal: EtappeError, code: str) -> Problems:
    if isinstance(refusal, WrongCode):
        return Problems({code: errors.told(words, refusal)})
    fields: Mapping[str, str] = {}
    if isinstance(refusal, InvalidInput):
        fields = {name: words.say(refusal.fields[name]) for name in _GIVE if name in refusal.fields}
    return Problems(fields)


def _words_for(found: LendingPage) -> Words:
    return Words(found.reader.language, found.reader.time_zone)
