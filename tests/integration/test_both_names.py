"""Whoever reads of a voice that was lent reads both names: in mails, in Prefect, on the command line, in the record."""

from __future__ import annotations

from uuid import uuid4

import pytest
from sqlalchemy import select

from cli import rollout_tree
from models.database import Database
from models.outbox import Message
from notifications.rendering import Rendered, render
from operations.compose_message import Composer, workspace_for
from tests.company import KEYS, REQUESTER, Company
from tests.fakes_prefect import FakePrefect
from tests.lending import DIRECTORY
from tests.sample_plans import SIGN_OFF, one_gate

ANNA, BEN, CARLA, HUGO, GINA = (f"{name}@example.com" for name in ("anna", "ben", "carla", "hugo", "gina"))
ALL = one_gate(f"{SIGN_OFF}, quorum: all, pinned_to: [budget]")


@pytest.fixture
def company(db: Database) -> Company:
    """A company in which Anna (who reads German) has lent her voice to Hugo (who reads English) for fourteen days."""
    company = Company(db, directory=DIRECTORY)
    company.lends(ANNA, HUGO)
    company.start(ALL, budget={"agency": "20000"}, flow_run_id=str(uuid4()))
    return company


def mail(company: Company, message: Message) -> Rendered:
    with company.db.read() as session:
        composer = Composer(KEYS, "http://etappe")
        if message.rollout_id is None:
            return render(composer.compose_for_person(session, message))
        composed = composer.compose(workspace_for(session, message, company.now), message)
    assert composed is not None
    return render(composed)


def newest(company: Company, topic: str, person: str) -> Rendered:
    return mail(company, company.messages(topic, person)[-1])


def test_the_delegate_is_asked_in_the_place_of_somebody_until_a_day(company: Company) -> None:
    written = newest(company, "request", HUGO)
    for text in (written.text, written.html):
        assert "You are asked in the place of Anna Keller (until 16 March 2026)." in text
    assert f"http://etappe/decide/{company.token(company.asked(HUGO))}" in written.text
    assert "in the place of" not in newest(company, "request", BEN).text


def test_the_others_read_who_is_asked_for_whom(company: Company) -> None:
    assert "Hugo Berg for Anna Keller" in newest(company, "request", CARLA).text


def test_the_receipt_goes_to_the_delegate_and_a_copy_to_the_delegator(company: Company) -> None:
    own = company.asked(ANNA)
    company.decides(HUGO, comment="It is time.")
    receipt, copy = newest(company, "receipt", HUGO).text, newest(company, "receipt", ANNA).text
    assert "This is what we have recorded in the name of Anna Keller:" in receipt
    assert "Hugo Berg hat an Ihrer Stelle geantwortet." in copy
    assert "It is time." in copy
    assert f"http://etappe/decide/{company.token(own)}" in copy
    assert "Sind Sie nicht einverstanden?" in copy


def test_the_delegator_reads_who_had_answered_what_has_lapsed(company: Company) -> None:
    company.decides(HUGO)
    company.changes(budget={"agency": "26000"})
    assert "Die Antwort von Hugo Berg an Ihrer Stelle vom 2. März 2026" in newest(company, "lapsed", ANNA).text
    assert "Your answer of 2 March 2026" in newest(company, "lapsed", HUGO).text


def test_requester_and_owner_read_both_names(company: Company) -> None:
    for person in (HUGO, BEN, CARLA):
        company.decides(person)
    assert "Hugo Berg für Anna Keller: hat freigegeben" in newest(company, "outcome", REQUESTER).text


def test_prefect_shows_both_names(company: Company) -> None:
    waiting = FakePrefect()
    waiting.paint(company.db, company.rollout_id, company.now)
    assert waiting.table[0]["Waiting for"] == "Anna Keller, Ben Frei, Carla Rossi, Hugo Berg for Anna Keller"
    for person in (HUGO, BEN, CARLA):
        company.decides(person)
    settled = FakePrefect()
    settled.paint(company.db, company.rollout_id, company.now)
    assert "Hugo Berg for Anna Keller: approved" in settled.table[0]["Decided"]
    messages = [message for name, (_, message) in settled.bars().items() if name.startswith("Gate")]
    assert "Hugo Berg for Anna Keller: approved" in messages[0]


def test_the_command_line_shows_both_addresses(company: Company) -> None:
    titles = rollout_tree.titles(company.db, company.rollout_id)
    tree = "\n".join(rollout_tree.lines(company.rollout(), titles))
    assert f"waits for {ANNA}, {BEN}, {CARLA}, {HUGO} for {ANNA}" in tree
    company.decides(HUGO)
    tree = "\n".join(rollout_tree.lines(company.rollout(), titles))
    assert f"{HUGO} for {ANNA} approve" in tree


def test_the_owner_reads_for_whom_changes_are_asked(company: Company) -> None:
    company.decides(HUGO, "request-changes", comment="Cheaper, please.")
    assert "Hugo Berg für Anna Keller" in newest(company, "request", REQUESTER).text


def letters(company: Company, person: str) -> list[Rendered]:
    """What somebody was written that is about no one rollout, newest last."""
    told = select(Message).where(Message.rollout_id.is_(None), Message.recipient == person).order_by(Message.id)
    with company.db.read() as session:
        rows = session.scalars(told).all()
    return [mail(company, row) for row in rows]


def test_both_hear_when_a_voice_is_lent_and_when_that_is_ended_early(company: Company) -> None:
    company.ends(company.lends(BEN, GINA, days=3), BEN)
    assert [letter.subject for letter in letters(company, BEN)] == [
        "Gina Lutz answers for you for a time – Etappe",
        "Gina Lutz no longer answers for you – Etappe",
    ]
    assert [letter.subject for letter in letters(company, GINA)] == [
        "Sie antworten eine Zeit lang für Ben Frei – Etappe",
        "Sie antworten nicht mehr für Ben Frei – Etappe",
    ]


def test_who_hears_it_reads_by_whom_for_which_days_and_how_to_end_it(company: Company) -> None:
    lent = company.lends(BEN, HUGO, by=GINA, days=3)
    [written] = letters(company, BEN)
    for fact in ("From 2 March 2026 until 5 March 2026", "Gina Lutz has said so for you",
                 f"etappe people end-delegation {lent}"):  # fmt: skip
        assert fact in written.text
    assert "take part in this rollout" not in written.text
