"""What one mail says that stands for several: each thing once, the most urgent first, and never without bounds."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import cast

import pytest

from notifications.messages import DigestMail, InformationMail, Mail, OutcomeMail, ReminderMail
from notifications.rendering import Rendered, render
from operations.compose_digest import SHOWN, in_one_mail
from tests import mails

MADE = mails.every_mail("en", mails.question("en"))
REMINDER = cast(ReminderMail, MADE["reminder"])
OUTCOME, NEWS = cast(OutcomeMail, MADE["outcome"]), cast(InformationMail, MADE["information"])
AT = mails.DUE - timedelta(hours=5)


def reminder(number: int, rollout: str = "one", due_at: datetime | None = None, *, urgent: bool = False) -> Mail:
    """A question with a link of its own."""
    question = mails.question("en", due_at=due_at, urgent=urgent, gate_title=f"Gate {number}")
    return replace(REMINDER, link=f"https://x/{number}", question=question, rollout_id=rollout, rollout_title=rollout)


def news(number: int, rollout: str = "one") -> Mail:
    """News of its own."""
    return replace(NEWS, quote=f"News {number}", rollout_id=rollout, rollout_title=rollout)


def page(rollout_id: str) -> str:
    return f"https://x/page/{rollout_id}"


def digest(*those: Mail) -> DigestMail:
    return cast(DigestMail, in_one_mail(those, AT, page))


def written(*those: Mail) -> Rendered:
    return render(in_one_mail(those, AT, page))


def test_one_thing_alone_is_its_own_mail_also_when_it_was_told_twice() -> None:
    for mail in (REMINDER, OUTCOME, NEWS):
        assert in_one_mail([mail], AT, page) is mail
        assert in_one_mail([mail, replace(mail)], AT, page) == mail


def test_what_was_reminded_of_twice_is_asked_once() -> None:
    mail = digest(reminder(1), reminder(2), reminder(1))
    assert [one.link for one in mail.asked] == ["https://x/1", "https://x/2"]
    assert mail.questions == 2


def test_the_most_urgent_comes_first_and_each_rollout_once() -> None:
    soon, later = AT + timedelta(hours=1), AT + timedelta(days=3)
    mail = digest(
        news(1, "news alone"),
        reminder(1, "a", due_at=later),
        reminder(2, "b"),
        reminder(3, "a", due_at=soon),
        reminder(4, "b", due_at=AT - timedelta(days=1)),
        reminder(5, "c", due_at=later + timedelta(days=9), urgent=True),
        news(2, "a"),
    )
    shown = [(group.rollout_title, [one.question.gate_title for one in group.asked]) for group in mail.groups]
    assert shown == [
        ("c", ["Gate 5"]),
        ("b", ["Gate 4", "Gate 2"]),
        ("a", ["Gate 3", "Gate 1"]),
        ("news alone", []),
    ]
    assert [len(group.news) for group in mail.groups] == [0, 0, 1, 1]


@pytest.mark.parametrize(
    ("due_at", "said"),
    [
        (AT - timedelta(days=1), "Overdue since: Monday, 23 November 2026, 08:05"),
        (AT + timedelta(hours=1), "Due today: Tuesday, 24 November 2026, 09:05"),
        (AT + timedelta(days=1), "By when: Wednesday, 25 November 2026, 08:05"),
        (None, "By when: No date is set."),
    ],
)
def test_it_says_what_is_due_when(due_at: datetime | None, said: str) -> None:
    assert said in written(reminder(1, due_at=due_at), reminder(2)).text


def test_three_hundred_things_are_a_mail_of_bounded_size_that_says_where_the_rest_is() -> None:
    mail = digest(*(reminder(n, f"rollout {n % 90}") for n in range(300)), *(news(n) for n in range(300)))
    assert (len(mail.asked), sum(len(group.news) for group in mail.groups)) == (SHOWN, SHOWN)
    assert (mail.questions, mail.told, mail.more, len(mail.pages)) == (300, 300, 560, SHOWN)
    text = render(mail).text
    assert "Not shown here: 560 more" in text
    assert all(one.link in text for one in mail.pages)
    assert len(render(mail).html) < 200_000


def test_a_digest_of_one_rollout_stands_in_its_thread_and_one_of_several_in_none() -> None:
    assert digest(reminder(1), news(1)).rollout_id == "one"
    assert digest(reminder(1), reminder(2, "two")).rollout_id == ""


@pytest.mark.parametrize(
    ("those", "subject"),
    [
        ([reminder(1), reminder(2)], "2 questions are waiting for you – one"),
        ([reminder(1), news(2)], "A question is waiting for you, and there is news – one"),
        ([OUTCOME, NEWS], "On hold: “Executive commitment” (+1) – Social media at Muster Ltd"),
        ([news(1), news(2, "two")], "2 news about your rollouts"),
        ([reminder(1, urgent=True), reminder(2, "two")], "Urgent: 2 questions are waiting for you"),
        ([replace(NEWS, urgent=True)], "Urgent: On hold: “Executive commitment” – Social media at Muster Ltd"),
    ],
)
def test_the_subject_says_what_waits(those: list[Mail], subject: str) -> None:
    assert written(*those).subject == subject
