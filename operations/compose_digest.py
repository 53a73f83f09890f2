"""What goes into one mail: which messages, and how a digest of several is made. Read only.

What asks somebody goes alone, so that a mail's link is its only one of its kind; reminders and news can be said
together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime

from models.outbox import Message
from notifications.messages import (
    DigestMail,
    Group,
    InformationMail,
    Mail,
    News,
    OutcomeMail,
    ReminderMail,
    RolloutPage,
)
from operations.compose_message import NAME

SHOWN = 20
"""So many questions, so many news, and so many pages of rollouts stand in one mail; the rest is counted."""
_SAID_TOGETHER = ("reminder", "outcome", "information")
_NO_DATE = datetime.max.replace(tzinfo=UTC)


def bundles(messages: Iterable[Message]) -> list[list[Message]]:
    """Return the messages of each mail, in their order.

    What comes by the clock or was held back goes together for one reader; other news goes together for one rollout.
    """
    found: dict[tuple[str, str], list[Message]] = {}
    for message in messages:
        found.setdefault((message.recipient, _bundle(message)), []).append(message)
    return list(found.values())


def _bundle(message: Message) -> str:
    if message.topic not in _SAID_TOGETHER:
        return message.dedup_key
    if message.by_the_clock or message.wanted_at:
        return ""
    return message.rollout_id or message.dedup_key


def in_one_mail(mails: Sequence[Mail], at: datetime, page: Callable[[str], str]) -> Mail:
    """Return one mail that says what these say, each thing once: one of them when that is all, otherwise a digest.

    `page` gives the address of a rollout's page by its id.
    """
    once = list({_what_it_says(mail): mail for mail in mails}.values())
    if len(once) == 1:
        return once[0]
    asked = sorted((mail for mail in once if isinstance(mail, ReminderMail)), key=_urgency)
    news = [mail for mail in once if isinstance(mail, OutcomeMail | InformationMail)]
    rest = [*asked[SHOWN:], *news[SHOWN:]]
    titles = {mail.rollout_id: mail.rollout_title for mail in once}
    rollout_id, title = next(iter(titles.items())) if len(titles) == 1 else ("", NAME)
    return DigestMail(
        once[0].reader,
        rollout_id,
        title,
        at=at,
        groups=_groups(asked[:SHOWN], news[:SHOWN]),
        questions=len(asked),
        told=len(news),
        more=len(rest),
        pages=_pages(rest, page),
    )


def _what_it_says(mail: Mail) -> tuple[object, ...]:
    """Return the same for mails that say the same: a question is known by its link, news by their words."""
    match mail:
        case ReminderMail(link=link):
            return (link,)
        case InformationMail():
            said = [part.to_json() for part in (mail.headline, *mail.sentences, *mail.what_to_do)]
            return mail.rollout_id, repr(said), mail.quote, mail.gate
        case OutcomeMail():
            return mail.rollout_id, mail.gate, mail.settlement.at
    return (id(mail),)


def _urgency(mail: ReminderMail) -> tuple[bool, datetime, datetime]:
    return not mail.urgent, mail.question.due_at or _NO_DATE, mail.asked_at


def _groups(asked: Sequence[ReminderMail], news: Sequence[News]) -> tuple[Group, ...]:
    """Group by rollout; the one with the most urgent question comes first, what has only news comes last."""
    titles = {mail.rollout_id: mail.rollout_title for mail in (*asked, *news)}
    return tuple(
        Group(
            title,
            tuple(mail for mail in asked if mail.rollout_id == rollout_id),
            tuple(mail for mail in news if mail.rollout_id == rollout_id),
        )
        for rollout_id, title in titles.items()
    )


def _pages(rest: Iterable[Mail], page: Callable[[str], str]) -> tuple[RolloutPage, ...]:
    titles = {mail.rollout_id: mail.rollout_title for mail in rest if mail.rollout_id}
    return tuple(RolloutPage(title, page(rollout_id)) for rollout_id, title in list(titles.items())[:SHOWN])
