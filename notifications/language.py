"""The words people read: sentences, labels, dates and amounts in the reader's language and time zone.

English sentences are the msgids; locale/de.po holds the German. Mails and web pages share it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from domain.durations import Duration, Every, WeekMoment, read_deadline
from domain.reasons import Reason
from domain.run import RunState
from domain.states import DecisionKind, GateState, Outcome, RolloutState, StageState

CATALOGUES = Path(__file__).parent / "locale"
LANGUAGES = ("de", "en")
HOME_ZONE = "Europe/Zurich"
_LOCALES = {"de": "de_CH", "en": "en_GB"}

Fact = str | int | Decimal | datetime | date | Duration | WeekMoment | StrEnum | Reason


def to_translate(msgid: str) -> str:
    """Mark a msgid that is looked up later, so that notifications/extract.py finds it."""
    return msgid


_YES = {
    "sign-off": to_translate("Yes, approve"),
    "budget": to_translate("Yes, approve the budget"),
    "review": to_translate("Go"),
    "checklist": to_translate("Yes, approve the list"),
    "measurement": to_translate("Record the value"),
    "acknowledgement": to_translate("I have read it"),
}
_CHOICES = {
    "approve": to_translate("Yes, approve"),
    "approve-with-conditions": to_translate("Yes, with conditions"),
    "reject": to_translate("No, reject"),
    "request-changes": to_translate("Ask for changes first"),
    "abstain": to_translate("Abstain"),
    "go": to_translate("Go"),
    "hold": to_translate("Hold"),
    "recycle": to_translate("Back to an earlier stage"),
    "kill": to_translate("Stop for good"),
}
_REVIEW_CHOICES = {**_CHOICES, "approve-with-conditions": to_translate("Go, with conditions")}
_SAID = {
    "approve": to_translate("approved"),
    "approve-with-conditions": to_translate("approved with conditions"),
    "reject": to_translate("turned it down"),
    "request-changes": to_translate("asked for changes first"),
    "abstain": to_translate("abstained"),
    "go": to_translate("said “go”"),
    "hold": to_translate("said “hold”"),
    "recycle": to_translate("said “back to an earlier stage”"),
    "kill": to_translate("said “stop for good”"),
}
_SAID_YES = {
    "review": to_translate("said “go”"),
    "acknowledgement": to_translate("has read it"),
    "measurement": to_translate("recorded the value"),
}
_SAID_WITH_CONDITIONS = {"review": to_translate("said “go”, with conditions")}
_STATES: Mapping[type[StrEnum], Mapping[str, str]] = {
    RolloutState: {
        "waiting": to_translate("waiting for its start date"),
        "open": to_translate("under way"),
        "held": to_translate("on hold"),
        "completed": to_translate("completed"),
        "killed": to_translate("stopped for good"),
        "cancelled": to_translate("called off"),
    },
    StageState: {
        "waiting": to_translate("not yet its turn"),
        "open": to_translate("under way"),
        "passed": to_translate("passed"),
        "held": to_translate("on hold"),
        "failed": to_translate("failed"),
        "skipped": to_translate("skipped"),
    },
    GateState: {
        "waiting": to_translate("not yet its turn"),
        "open": to_translate("waiting for an answer"),
        "passed": to_translate("passed"),
        "rejected": to_translate("rejected"),
        "expired": to_translate("time was up"),
        "waived": to_translate("waived"),
        "withdrawn": to_translate("withdrawn"),
    },
    RunState: {
        "waiting": to_translate("waits for its turn"),
        "running": to_translate("under way"),
        "completed": to_translate("completed"),
        "failed": to_translate("failed"),
        "crashed": to_translate("crashed"),
        "cancelled": to_translate("cancelled"),
        "deleted": to_translate("deleted"),
        "none": to_translate("not started"),
    },
    Outcome: {
        "go": to_translate("it goes on"),
        "hold": to_translate("on hold"),
        "recycle": to_translate("back to an earlier stage"),
        "kill": to_translate("stopped for good"),
    },
}
_KINDS = {
    "sign-off": to_translate("Sign-off"),
    "budget": to_translate("Budget"),
    "review": to_translate("Review"),
    "checklist": to_translate("Checklist"),
    "measurement": to_translate("Measurement"),
    "acknowledgement": to_translate("Acknowledgement"),
    "window": to_translate("Window"),
    "check": to_translate("Check"),
}
_UNITS = {
    "minute": (to_translate("{count} minute"), to_translate("{count} minutes")),
    "hour": (to_translate("{count} hour"), to_translate("{count} hours")),
    "day": (to_translate("{count} day"), to_translate("{count} days")),
    "week": (to_translate("{count} week"), to_translate("{count} weeks")),
    "business day": (to_translate("{count} business day"), to_translate("{count} business days")),
}
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)")
_PREFIX = "{name}: "
_IN_PLACE = to_translate("{person} for {delegator}")
_AWAY = to_translate("{person} (away until {day})")


@dataclass(frozen=True)
class Words:
    """How one reader is written to. `language` is de or en (anything else reads English), `time_zone` an IANA zone.

    `home_zone` is the zone in which people expect a time when none is named; elsewhere the zone is named with it.
    """

    language: str
    time_zone: str
    home_zone: str = HOME_ZONE

    def say(self, reason: Reason) -> str:
        """Return the sentence in the reader's language.

        Facts are shown for the reader: aware datetimes as moments, dates as days, Decimals and integers as numbers,
        deadlines and states in words, a Reason as its own sentence. A text that is a whole ISO 8601 time with its
        offset, a date, or a deadline (“5 business days”, “Friday 12:00”), is shown like one, because stored facts are
        texts.
        """
        return self.text(reason.text, **reason.facts)

    def text(self, msgid: str, /, **facts: Fact) -> str:
        """Return the translation of `msgid`, its {placeholders} filled. Without facts, braces stay as they are."""
        return self._filled(msgid, facts) if facts else self._translated(msgid)

    def gettext(self, msgid: str) -> str:
        """Return the translation of `msgid` as it stands, for {% trans %} in templates."""
        return self._translated(msgid)

    def ngettext(self, singular: str, plural: str, count: int) -> str:
        """Return the translation for one or for several, for {% trans %}…{% pluralize %} in templates."""
        return self._translated(singular if count == 1 else plural)

    def moment(self, at: datetime) -> str:
        """Return an aware time, as “Dienstag, 24. November 2026, 14:05”, with the zone where it is not the home zone.

        Raises ValueError when `at` has no zone.
        """
        if at.tzinfo is None:
            raise ValueError("a time for readers needs a zone")
        local = at.astimezone(_zone(self.time_zone))
        abroad = local.utcoffset() != at.astimezone(_zone(self.home_zone)).utcoffset()
        place = f" ({self._place()})" if abroad else ""
        return f"{self.weekday(local.date())}, {local:%H:%M}{place}"

    def weekday(self, day: date) -> str:
        """Return a date with its weekday, as “Dienstag, 24. November 2026”."""
        from babel.dates import format_date

        return str(format_date(day, "full", self._locale))

    def day(self, day: date) -> str:
        """Return a date, as “24. November 2026”. A datetime is first put into the reader's zone."""
        from babel.dates import format_date

        local = day.astimezone(_zone(self.time_zone)).date() if isinstance(day, datetime) else day
        return str(format_date(local, "long", self._locale))

    def near_day(self, day: date) -> str:
        """Return a date that is less than a year away, as “24. November”."""
        from babel.dates import format_skeleton

        return str(format_skeleton("MMMMd", day, locale=self._locale))

    def number(self, number: Decimal | int) -> str:
        """Return a number with its thousands grouped and without needless noughts, as “1’234.5”."""
        from babel.numbers import format_decimal

        return str(format_decimal(number, "#,##0.#########", self._locale))

    def money(self, amount: Decimal, currency: str) -> str:
        """Return an amount with its currency (ISO 4217; may be ""), as “CHF 12’000.00”. The blank does not break."""
        from babel.numbers import format_currency, format_decimal

        if not currency:
            return str(format_decimal(amount, "#,##0.00", self._locale))
        return str(format_currency(amount, currency, "¤¤\u00a0#,##0.00;¤¤\u00a0-#,##0.00", self._locale))

    def duration(self, duration: Duration | WeekMoment) -> str:
        """Return a span of time in words, as “5 Arbeitstage”, or a moment of the week, as “Freitag, 12:00”."""
        if isinstance(duration, WeekMoment):
            return f"{self._day_name(duration.weekday)}, {duration.at:%H:%M}"
        one, many = _UNITS[duration.unit]
        span = self._filled(one if duration.amount == 1 else many, {"count": duration.amount})
        return self._filled("every {duration}", {"duration": span}) if isinstance(duration, Every) else span

    def decision(
        self, kind: DecisionKind | str, gate_kind: str = "sign-off", choice: Outcome | str | None = None
    ) -> str:
        """Return the label of a choice, as “Yes, approve”; for reviews `choice` (or `kind`) may be an outcome.

        An unknown kind is shown as it is.
        """
        chosen = _chosen(kind, choice)
        if chosen == DecisionKind.APPROVE:
            return self._translated(_YES.get(gate_kind, _YES["sign-off"]))
        labels = _REVIEW_CHOICES if gate_kind == "review" else _CHOICES
        return self._translated(labels.get(chosen, chosen))

    def said(self, kind: DecisionKind | str, gate_kind: str = "sign-off", choice: Outcome | str | None = None) -> str:
        """Return what somebody did, to stand after their name and a colon, as “approved with conditions”."""
        chosen = _chosen(kind, choice)
        if chosen == DecisionKind.APPROVE and gate_kind in _SAID_YES:
            return self._translated(_SAID_YES[gate_kind])
        if chosen == DecisionKind.APPROVE_WITH_CONDITIONS and gate_kind in _SAID_WITH_CONDITIONS:
            return self._translated(_SAID_WITH_CONDITIONS[gate_kind])
        return self._translated(_SAID.get(chosen, chosen))

    def who(self, name: str, on_behalf_of: str = "") -> str:
        """Return who spoke or is asked, as “Ben Frei”, or “Ben Frei for Anna Keller” when a voice was lent."""
        return self.text(_IN_PLACE, person=name, delegator=on_behalf_of) if on_behalf_of else name

    def away(self, who: str, until: date | None) -> str:
        """Return who is asked, as “Anna Keller (away until 3 May)” when they are away until that day."""
        return self.text(_AWAY, person=who, day=self.near_day(until)) if until else who

    def state(self, state: RolloutState | StageState | GateState | Outcome | RunState) -> str:
        """Return a state or an outcome in words, in small letters, as “waiting for an answer”."""
        return self._translated(_STATES[type(state)][state.value])

    def gate_kind(self, kind: str) -> str:
        """Return what kind of gate this is, as “Sign-off”. An unknown kind is shown as it is."""
        return self._translated(_KINDS.get(kind, kind))

    def in_html(self) -> dict[str, object]:
        """Return what a Jinja2 template needs: `words`, `_`, and what {% trans %} looks for."""
        return {"words": self, "_": self.text, "gettext": self.gettext, "ngettext": self.ngettext}

    @property
    def _locale(self) -> str:
        return _LOCALES.get(self.language, _LOCALES["en"])

    def _day_name(self, weekday: int) -> str:
        from babel.dates import get_day_names

        return str(get_day_names("wide", locale=self._locale)[weekday])

    def _place(self) -> str:
        from babel.dates import get_timezone_location

        place = str(get_timezone_location(_zone(self.time_zone), self._locale, return_city=True))
        return place if place == "UTC" else self._filled("{place} time", {"place": place})

    def _translated(self, msgid: str) -> str:
        if self.language != "de" or not msgid:
            return msgid
        known = catalogue("de")
        if msgid.startswith(_PREFIX) and msgid not in known:
            return _PREFIX + known.get(msgid.removeprefix(_PREFIX), msgid.removeprefix(_PREFIX))
        return known.get(msgid, msgid)

    def _filled(self, msgid: str, facts: Mapping[str, Fact]) -> str:
        return self._translated(msgid).format_map({name: self._shown(fact) for name, fact in facts.items()})

    def _shown(self, fact: Fact) -> str:
        match fact:
            case Reason():
                return self.say(fact)
            case RolloutState() | StageState() | GateState() | Outcome():
                return self.state(fact)
            case DecisionKind():
                return self.decision(fact)
            case str():
                return self._shown_text(fact)
            case datetime():
                return self.moment(fact)
            case date():
                return self.day(fact)
            case Duration() | WeekMoment():
                return self.duration(fact)
            case _:
                return self.number(fact)

    def _shown_text(self, text: str) -> str:
        if _TIME.fullmatch(text):
            return self.moment(datetime.fromisoformat(text))
        try:
            return self.day(date.fromisoformat(text)) if _DAY.fullmatch(text) else self.duration(read_deadline(text))
        except ValueError:
            return text


def catalogue(language: str) -> dict[str, str]:
    """Return msgid to translation for a language; empty for English, whose msgids are the text."""
    return _catalogue(language)


@lru_cache
def _catalogue(language: str) -> dict[str, str]:
    from babel.messages.pofile import read_po

    path = CATALOGUES / f"{language}.po"
    if not path.exists():
        return {}
    with path.open("rb") as file:
        messages = read_po(file, locale=language, abort_invalid=True)
    ready = (message for message in messages if message.id and message.string and not message.fuzzy)
    return {str(message.id): str(message.string) for message in ready}


@lru_cache
def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def _chosen(kind: DecisionKind | str, choice: Outcome | str | None) -> str:
    given = str(choice or "")
    return str(kind) if given in ("", Outcome.GO) else given
