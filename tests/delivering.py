"""A Post for a company, and what its mails say."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from email.message import EmailMessage

from notifications.rendering import render
from notifications.senders import Sender
from operations.compose_message import Composer, workspace_for
from operations.installation import Installation
from settings import Settings
from tests.company import KEYS, Company
from tests.fakes import FakeSender
from worker.hurry import Hurry
from worker.post import Post

BASE_URL = "https://etappe.example.com"


def post(company: Company, sender: Sender, at_once: int = 1, hurry: Hurry | None = None) -> Post:
    """A Post for a company, whose clock is the company's."""
    settings = replace(Settings.from_environment({"ETAPPE_HOME": "/nowhere"}), base_url=BASE_URL)
    here = Installation(settings)
    here.__dict__.update(db=company.db, keys=KEYS)
    return Post(here, sender, lambda: company.now, at_once=at_once, hurry=hurry)


def written(company: Company, topic: str, person: str) -> str:
    """The text of the newest mail of a topic to somebody, as it would be sent now."""
    message = company.messages(topic, person)[-1]
    with company.db.read() as session:
        mail = Composer(KEYS, BASE_URL).compose(workspace_for(session, message, company.now), message)
    assert mail is not None
    return render(mail).text


def kinds(sender: FakeSender) -> Counter[tuple[str, str]]:
    """How many mails of which kind were sent to whom."""
    return Counter((to, str(mail["X-Etappe-Kind"])) for to, mail in sender.sent)


def text_of(mail: EmailMessage) -> str:
    """A mail as plain text."""
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content())
