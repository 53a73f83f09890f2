"""The decision page: GET and HEAD show what a link asks and change nothing; POST answers it.

Every change is left to operations/, which alone knows what is allowed; this module reads forms and writes pages.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, Request, Response

from domain.errors import EtappeError, EvidenceChanged, InvalidInput, LinkUnknown, LinkVoid, WrongCode
from models.requests import Purpose, RequestState, VoidReason
from notifications.language import Words
from operations.record_answers import record_answers
from operations.record_decision import DecisionForm, record_decision
from operations.record_measurement import record_measurement_by_link
from operations.show_request import Addressee, RequestPage, addressee, show_request
from web import condition_fields, errors, pages, respond, voided, wording
from web.deed import Deed, Shown
from web.forms import Posted, posted
from web.house import House
from web.refused import Problems, Refused
from web.shown import Change, changes, packed, snapshot

ITEM = "item-"
"""Before the names of a checklist's fields, so that no item can be called like a field of ours."""

_ALWAYS = ("code", "digest")
_FIELDS: Mapping[Purpose, tuple[str, ...]] = {  # the others' depend on what is asked
    Purpose.DECIDE: ("decision", *condition_fields.FIELDS, "comment", "lessons"),
    Purpose.CONFIRM: ("decision", "comment"),
    Purpose.MEASURE: ("value", "sample"),
}
WRONG_CODES_USED_UP = 0
Recorder = Callable[[Deed, Shown, Mapping[str, str]], RequestPage]
"""Records what was typed, and gives the page as it is then."""


def routes(house: House) -> APIRouter:
    """Return the routes below /decide."""
    router = APIRouter()

    @router.api_route("/decide", methods=["GET", "HEAD", "POST"])
    @router.api_route("/decide/", methods=["GET", "HEAD", "POST"])
    def show_nothing(request: Request) -> Response:
        return without_page(pages.visitor_words(request), LinkUnknown(), {})

    @router.api_route("/decide/{token:path}", methods=["GET", "HEAD"])
    def show(token: str, request: Request) -> Response:
        return shown(house, token, request)

    @router.post("/decide/{token:path}")
    def decide(token: str, request: Request, form: Annotated[Posted, Depends(posted)]) -> Response:
        return answered(house, token, request, form)

    return router


def shown(house: House, token: str, request: Request) -> Response:
    """Return the page behind a link, or what can be said when there is none."""
    try:
        return _Answering(house, as_mailed(token)).page()
    except (LinkUnknown, LinkVoid) as refusal:
        return without_page(pages.visitor_words(request), refusal, {})


def answered(house: House, token: str, request: Request, form: Posted) -> Response:
    """Return what comes of a form that was posted at a link."""
    try:
        return _Answering(house, as_mailed(token), form).answer()
    except (LinkUnknown, LinkVoid) as refusal:
        return without_page(pages.visitor_words(request), refusal, form.typed)


def as_mailed(token: str) -> str:
    """Return a token without what mail programs take along from the sentence around a link."""
    return token.strip().rstrip(".,;:!?)>]}\"'”»/")


@dataclass(frozen=True)
class _Answering:
    """One POST at one link."""

    house: House
    token: str
    form: Posted = field(default_factory=Posted)

    def page(self) -> Response:
        """Return the page as it is. Raises LinkUnknown and LinkVoid: then there is none."""
        return self._page(self._show())

    def answer(self) -> Response:
        """Record what was typed and show what holds then, or show the page again with what is wrong.

        Raises LinkUnknown and LinkVoid: then there is no page.
        """
        if self._is_a_decision():
            return self._recorded(_decide)
        to = self._addressee()
        if refused := self._malformed(words_for(to), _FIELDS.get(to.purpose) or fields_of(self._show())):
            return self._page(self._show(), refused)
        return self._recorded(RECORDERS[to.purpose])

    def _is_a_decision(self) -> bool:
        """Whether this can be nothing else, so that nobody needs to look first what the link asks for."""
        if self.form.problems((*_FIELDS[Purpose.DECIDE], *_ALWAYS, "shown"), (*_ALWAYS, "decision")):
            return False
        of_some_only = set(_FIELDS[Purpose.DECIDE]) - set(_FIELDS[Purpose.CONFIRM])
        return not any(self.form.typed.get(name) for name in of_some_only)

    def _recorded(self, record: Recorder) -> Response:
        try:
            return self._page(record(self._deed(), self._show, self.form.typed))
        except (LinkUnknown, LinkVoid):
            raise
        except EtappeError as refusal:
            words = words_for(self._addressee())
            if isinstance(refusal, WrongCode) and refusal.tries_left == WRONG_CODES_USED_UP:
                return renewed(words, refusal, self.form.typed)
            return self._refused(words, refusal)

    def _addressee(self) -> Addressee:
        return addressee(self.house.database, self.token, self.house.now())

    def _show(self) -> RequestPage:
        return show_request(self.house.database, self.token, self.house.now())

    def _deed(self) -> Deed:
        keys = self.house.settings.secret_keys
        return Deed(self.house.database, keys, self.token, self.house.now(), self.form.uploads)

    def _page(self, found: RequestPage, refused: Refused | None = None) -> Response:
        return _page(found, f"{urlsplit(self.house.settings.base_url).path}/decide/{self.token}", refused)

    def _malformed(self, words: Words, fields: Sequence[str]) -> Refused | None:
        problems = self.form.problems((*fields, *_ALWAYS, "shown"), _ALWAYS)
        if not problems:
            return None
        alert = words.text("This form cannot be read. Nothing was recorded.")
        told = Problems(general=[words.say(problem) for problem in problems])
        status = 422 if self.form.is_form else 415
        return Refused(status, alert, self.form.typed, told)

    def _refused(self, words: Words, refusal: EtappeError) -> Response:
        now_shown = self._show()
        typed = dict(self.form.typed)
        differences: Sequence[Change] = ()
        if isinstance(refusal, EvidenceChanged):
            typed.pop("decision", None)
            differences = changes(typed.get("shown", ""), snapshot(words, now_shown.question))
        again = {
            upload.field: words.text("Please choose the file again; it was not kept.") for upload in self.form.uploads
        }
        problems = problems_of(words, refusal, fields_of(now_shown), again)
        status, alert = errors.status_of(refusal), errors.told(words, refusal)
        return self._page(now_shown, Refused(status, alert, typed, problems, differences))


def _decide(deed: Deed, shown: Shown, typed: Mapping[str, str]) -> RequestPage:
    texts = {name: typed.get(name, "") for name in ("decision", "code", "digest", "comment", "lessons")}
    form = DecisionForm(**texts, conditions=condition_fields.typed_conditions(typed))
    return record_decision(deed.database, deed.keys, deed.token, form, deed.now)


def _answer(deed: Deed, shown: Shown, typed: Mapping[str, str]) -> RequestPage:
    answers = {name.removeprefix(ITEM): text for name, text in typed.items() if name.startswith(ITEM)}
    return record_answers(deed.database, deed.keys, deed.token, answers, typed["code"], typed["digest"], deed.now)


def _measure(deed: Deed, shown: Shown, typed: Mapping[str, str]) -> RequestPage:
    value, sample = typed.get("value", ""), typed.get("sample", "")
    return record_measurement_by_link(
        deed.database, deed.keys, deed.token, value, sample, typed["code"], typed["digest"], deed.now
    )


RECORDERS: Mapping[Purpose, Recorder] = {
    Purpose.DECIDE: _decide,
    Purpose.CONFIRM: _decide,
    Purpose.ANSWER: _answer,
    Purpose.MEASURE: _measure,
    Purpose.RESPOND: respond.record,
}


def fields_of(found: RequestPage) -> tuple[str, ...]:
    """Return the names of a page's own fields, in the order in which it shows them."""
    if found.purpose is Purpose.ANSWER:
        return tuple(f"{ITEM}{entry.item.id}" for entry in found.question.to_fill)
    if found.purpose is Purpose.RESPOND:
        return respond.fields(found.question)
    return _FIELDS[found.purpose]


def problems_of(
    words: Words, refusal: EtappeError, fields: Sequence[str], again: Mapping[str, str] | None = None
) -> Problems:
    """Return what is to be corrected: the page's fields in its own order, then what belongs to none of them.

    `again` is what has to be done again, beside the fields that nothing is wrong with.
    """
    told = dict(again or {})
    if isinstance(refusal, WrongCode):
        told["code"] = errors.told(words, refusal)
    if isinstance(refusal, InvalidInput):
        told |= {_field_called(name, fields): words.say(reason) for name, reason in refusal.fields.items()}
    order = (*fields, "code")
    beside = {name: told[name] for name in order if name in told}
    return Problems(beside, [text for name, text in told.items() if name not in beside])


def _field_called(name: str, fields: Sequence[str]) -> str:
    return next((before + name for before in (ITEM, respond.INPUT) if before + name in fields), name)


def words_for(to: RequestPage | Addressee) -> Words:
    """Return the words of the person a page or a link is for."""
    return Words(to.reader.language, to.reader.time_zone)


def without_page(words: Words, refusal: LinkUnknown | LinkVoid, typed: Mapping[str, str]) -> Response:
    """Return what can be said about a link that leads to no request."""
    title, sentences = wording.UNKNOWN_TITLE, wording.UNKNOWN_SENTENCES
    if isinstance(refusal, LinkVoid):
        reason = VoidReason(refusal.reason)
        title, sentences = wording.VOID_TITLES[reason], (wording.VOID_SENTENCES[reason],)
    told = tuple(words.text(sentence) for sentence in sentences)
    return pages.notice(words, words.text(title), told, errors.status_of(refusal), kept_texts(words, typed))


def renewed(words: Words, refusal: WrongCode, typed: Mapping[str, str]) -> Response:
    """Return what can be said once the code was wrong five times, and a new link and code are on their way."""
    title = words.text(wording.VOID_TITLES[VoidReason.RENEWED])
    status = errors.status_of(refusal)
    return pages.notice(words, title, (errors.told(words, refusal),), status, kept_texts(words, typed))


def kept_texts(words: Words, typed: Mapping[str, str]) -> dict[str, str]:
    """Return what somebody wrote, by label, for a page that has no form to keep it in."""
    labels = {**wording.TEXT_LABELS, **{name: name.removeprefix(ITEM) for name in typed if name.startswith(ITEM)}}
    kept = {words.text(label): typed[name] for name, label in labels.items() if typed.get(name, "").strip()}
    return {**condition_fields.in_words(words, typed), **kept}


def _page(found: RequestPage, here: str, refused: Refused | None = None) -> Response:
    template, status, facts = _SHOWN_AS[found.state](found)
    words = words_for(found)
    typed = refused.typed if refused else _typed_before(found)
    common = {
        "page": found,
        "here": here,
        "q": found.question,
        "mine": found.mine,
        "settlement": found.settlement,
        "alert": refused.alert if refused else "",
        "problems": refused.problems if refused else Problems(),
        "differences": refused.differences if refused else (),
        "typed": typed,
        "kept": kept_texts(words, typed) if refused else {},
        "came_to": wording.GATE_CAME_TO,
        "follows": wording.FOLLOWS,
    }
    return pages.page(template, words, {**common, **facts}, refused.status if refused else status)


def _typed_before(found: RequestPage) -> dict[str, str]:
    to_fill = {f"{ITEM}{entry.item.id}": entry.value for entry in found.question.to_fill}
    return {**to_fill, **respond.typed_before(found.question)}


def _open(found: RequestPage) -> tuple[str, int, dict[str, Any]]:
    shown = packed(snapshot(words_for(found), found.question))
    return "open.html", 200, {"hints": wording.CHOICE_HINTS, "button": wording.BUTTONS[found.purpose], "shown": shown}


def _done(found: RequestPage) -> tuple[str, int, dict[str, Any]]:
    return "done.html", 200, {"title": wording.RECORDED_TITLES[found.purpose]}


def _void(found: RequestPage) -> tuple[str, int, dict[str, Any]]:
    title, sentence = voided.title_and_sentence(found)
    return "void.html", 410, {"title": title, "sentence": sentence}


_SHOWN_AS: Mapping[RequestState, Callable[[RequestPage], tuple[str, int, dict[str, Any]]]] = {
    RequestState.OPEN: _open,
    RequestState.DONE: _done,
    RequestState.VOID: _void,
}
