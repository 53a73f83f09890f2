"""A mail's headers are exactly those that were meant, also after a mail server has read them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.envelope import UnsafeHeader, UnusableSender, to_message
from notifications.messages import Mail, RequestMail
from notifications.rendering import Rendered, render
from tests import mails

AT = datetime(2026, 11, 24, 13, 5, tzinfo=UTC)
MAIL = cast(RequestMail, mails.every_mail("de", mails.question("de"))["request"])
LETTERS = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1, max_size=180)


def sent(
    mail: Mail = MAIL, subject: str = "Ja?", key: str = "request/1/1", mail_from: str = "Etappe <e@x.ch>"
) -> bytes:
    return to_message(mail, replace(render(MAIL), subject=subject), key, mail_from, "etappe.example.com", AT).as_bytes()


def parsed(content: bytes) -> EmailMessage:
    return message_from_bytes(content, policy=policy.default)


def test_the_headers_say_what_this_is() -> None:
    message = parsed(sent())
    assert message["From"] == "Etappe <e@x.ch>"
    assert message["To"] == "Anna Keller <anna.keller@example.com>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Content-Language"] == "de"
    assert message["X-Etappe-Kind"] == "request"
    assert message["X-Etappe-Rollout"] == "r7k2m9"
    assert message["X-Etappe-Gate"] == "executive-sign-off"
    assert message["Date"].datetime == AT


def test_a_retry_has_the_same_message_id_and_another_mail_has_not() -> None:
    first, again, other = (parsed(sent(key=key))["Message-ID"] for key in ("request/1/1", "request/1/1", "request/1/2"))
    assert first == again != other
    assert first.endswith("@etappe.example.com>")


def test_one_rollout_is_one_thread() -> None:
    outcome = mails.every_mail("de", mails.question("de"))["outcome"]
    threads = {parsed(sent(mail))[name] for mail in (MAIL, outcome) for name in ("References", "In-Reply-To")}
    assert len(threads) == 1
    assert len({parsed(sent(replace(MAIL, rollout_id=name)))["References"] for name in "ab"}) == 2


def test_text_and_page_arrive_as_they_were_written() -> None:
    written = render(MAIL)
    message = parsed(sent())
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    for kind, text in (("plain", written.text), ("html", written.html)):
        part = cast(EmailMessage, message.get_body((kind,)))
        assert part.get_content().replace("\r\n", "\n").strip() == text.strip()


LINES = st.lists(st.text(st.characters(exclude_categories=("Cc", "Cs")), max_size=120), min_size=1, max_size=8)
DIVIDING = ["--=_alternative", "--=_alternative--", "--=_mixed", ".", "..", "From here", "trailing blank ", "=", "--"]


@given(lines=LINES.map(lambda lines: [*lines, *DIVIDING]))
def test_whatever_stands_in_a_text_arrives_and_divides_nothing(lines: list[str]) -> None:
    text = "\n".join(lines) + "\n"
    content = to_message(MAIL, Rendered("s", text, f"<pre>{text}</pre>"), "k", "e@x.ch", "x.ch", AT).as_bytes()
    assert content.isascii()
    assert max(map(len, content.split(b"\r\n"))) <= 78
    assert b"\n" not in content.replace(b"\r\n", b"")
    plain, html = cast(list[EmailMessage], list(parsed(content).iter_parts()))
    assert plain.get_content().replace("\r\n", "\n") == text
    assert html.get_content().replace("\r\n", "\n") == f"<pre>{text}</pre>\n"


def test_what_is_read_of_a_mail_is_what_is_sent() -> None:
    message = to_message(MAIL, Rendered("Ja – so", "t", "<p>h</p>"), "k", "Ätappe <e@x.ch>", "x.ch", AT)
    for name, value in parsed(message.as_bytes()).items():
        assert message[name] == value


UNSAFE = [
    "x\nBcc: eve@example.com",
    "x\r\nBcc: eve@example.com",
    "=?utf-8?q?=0ABcc:_eve@example.com?=",
    "=?utf-8?q?=0D=0ABcc:eve@example.com?=",
    "a =?iso-8859-1?b?CkJjYzogZXZlQGV4YW1wbGUuY29t?= b",
    "x\u2028Bcc: eve@example.com",
    "x\x00",
    "\ud800",
]


@pytest.mark.parametrize("text", UNSAFE)
def test_what_could_become_a_header_is_refused(text: str) -> None:
    reader = MAIL.reader
    unsafe: list[Mail] = [
        replace(MAIL, reader=replace(reader, name=text)),
        replace(MAIL, reader=replace(reader, email=f"{text}@example.com")),
        replace(MAIL, reader=replace(reader, language=text)),
        replace(MAIL, rollout_id=text),
        replace(MAIL, question=replace(MAIL.question, gate_key=text)),
    ]
    for mail in unsafe:
        with pytest.raises(UnsafeHeader):
            sent(mail)
    with pytest.raises(UnsafeHeader):
        sent(subject=text)
    with pytest.raises(UnusableSender):
        sent(mail_from=f"{text} <e@x.ch>")


@pytest.mark.parametrize("mail_from", ["", "Etappe", "<>", "a@b@c", "Etappe etappe@example.com>"])
def test_a_sender_that_is_none_is_the_operators_to_mend(mail_from: str) -> None:
    with pytest.raises(UnusableSender):
        sent(mail_from=mail_from)


@given(name=LETTERS, subject=LETTERS)
def test_no_name_and_no_subject_makes_another_header_or_recipient(name: str, subject: str) -> None:
    try:
        content = sent(replace(MAIL, reader=replace(MAIL.reader, name=name)), subject=subject)
    except UnsafeHeader:
        assert "=?" in name + subject
        return
    message = parsed(content)
    assert message.keys() == parsed(sent()).keys()
    assert [address.addr_spec for address in message["To"].addresses] == [MAIL.reader.email]
    assert not message["To"].groups[0].display_name


@pytest.mark.parametrize("name", ["Müller, Änne <a@b.ch>", "Ö" * 90 + ", eve@example.com", 'a"b\\c', "Keller (Anna)"])
def test_a_difficult_name_stays_one_recipient_with_that_name(name: str) -> None:
    to = parsed(sent(replace(MAIL, reader=replace(MAIL.reader, name=name))))["To"]
    (address,) = to.addresses
    # Between two encoded words Python's parser keeps a blank that RFC 2047 (6.2) says to drop.
    assert address.display_name.replace(" ", "") == name.replace(" ", "")
    assert address.addr_spec == MAIL.reader.email


WORDS = st.sampled_from(["Bitte", "entscheiden:", "«Ja", "Geschäftsleitung»", "–", "2026", "abwesend…", "zu", "über"])


@given(words=st.lists(WORDS, min_size=1, max_size=20))
def test_a_subject_arrives_letter_by_letter_however_long_it_is(words: list[str]) -> None:
    content = sent(subject=" ".join(words))
    assert parsed(content)["Subject"] == " ".join(words)
    assert content.isascii()
    assert all(len(line) <= 78 for line in content.partition(b"\r\nMessage-ID")[0].split(b"\r\n"))


def test_a_domain_that_is_none_is_made_one() -> None:
    written = Rendered("s", "t", "<p>h</p>")
    assert to_message(MAIL, written, "k", "e@x.ch", "::1", AT)["Message-ID"].endswith("@-1>")
