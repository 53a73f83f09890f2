"""The local mailbox takes mail on the loopback, keeps it, shows it newest first, and ends when it is told to."""

from __future__ import annotations

import os
import signal
import smtplib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from domain.errors import PortTaken
from notifications.envelope import to_message
from notifications.mailbox import UnknownMail, list_mails, read_mail, run_mailbox
from notifications.rendering import render
from notifications.senders import SmtpSender, TemporaryFailure
from tests import mails

_PROGRAM = """
import sys
from pathlib import Path
from notifications.mailbox import run_mailbox
run_mailbox(Path(sys.argv[1]), 0, lambda port: print(port, flush=True))
"""


@contextmanager
def running(folder: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A mailbox in a process of its own, as `etappe mailbox` runs it."""
    process = subprocess.Popen([sys.executable, "-c", _PROGRAM, str(folder)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield process, int(process.stdout.readline())
    finally:
        process.kill()
        process.wait(10)
        process.stdout.close()


def send(port: int, language: str = "de", template: str = "request", key: str = "k") -> None:
    mail = mails.every_mail(language, mails.question(language))[template]
    message = to_message(mail, render(mail), key, "Etappe <etappe@example.com>", "example.com")
    with closing(SmtpSender(f"smtp://127.0.0.1:{port}", timeout=5)) as sender:
        sender.send(message, mail.reader.email)


def test_a_mail_is_listed_and_read_as_it_was_sent(tmp_path: Path) -> None:
    with running(tmp_path / "deep" / "mailbox") as (_, port):
        send(port)
    (summary,) = list_mails(tmp_path / "deep" / "mailbox")
    assert summary.subject == "Bitte entscheiden: Ja der Geschäftsleitung – Social Media bei der Muster AG"
    assert summary.recipient == "anna.keller@example.com"
    assert (summary.kind, summary.rollout) == ("request", "r7k2m9")
    assert abs(time.time() - summary.at.timestamp()) < 60
    mail = read_mail(tmp_path / "deep" / "mailbox", summary.key)
    assert (mail.key, mail.subject) == (summary.key, summary.subject)
    assert mail.headers["Auto-Submitted"] == "auto-generated"
    assert mails.LINK in mail.text and "123 456" in mail.text
    assert mails.LINK in mail.html and "Guten Tag Anna Keller" in mail.html


def test_the_newest_comes_first_and_one_address_can_be_looked_for(tmp_path: Path) -> None:
    with running(tmp_path) as (_, port):
        for language, template in (("de", "request"), ("en", "request"), ("de", "outcome")):
            send(port, language, template)
    assert [mail.kind for mail in list_mails(tmp_path)] == ["outcome", "request", "request"]
    assert [mail.kind for mail in list_mails(tmp_path, limit=1)] == ["outcome"]
    (found,) = list_mails(tmp_path, to="Oliver.Smith@example.com")
    assert found.recipient == "oliver.smith@example.com"


def test_a_mail_to_several_is_kept_for_each(tmp_path: Path) -> None:
    with running(tmp_path) as (_, port), smtplib.SMTP("127.0.0.1", port) as client:
        client.sendmail("x@example.com", ["a@example.com", "b@example.com"], b"Subject: hi\r\n\r\nhello\r\n")
    found = list_mails(tmp_path)
    assert {mail.recipient for mail in found} == {"a@example.com", "b@example.com"}
    assert read_mail(tmp_path, found[0].key).text.strip() == "hello"
    assert read_mail(tmp_path, found[0].key).html == ""


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_cleanly_also_while_somebody_is_connected(tmp_path: Path, ending: signal.Signals) -> None:
    with running(tmp_path) as (process, port), smtplib.SMTP("127.0.0.1", port):
        process.send_signal(ending)
        assert process.wait(10) == 0
    with socket.create_server(("127.0.0.1", port)):
        pass


def test_a_port_that_is_taken_is_one_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(PortTaken, match=str(port)):
            run_mailbox(tmp_path / "mailbox", port)


def test_it_listens_on_this_machine_only(tmp_path: Path) -> None:
    with running(tmp_path) as (process, port):
        tables = [Path(f"/proc/{process.pid}/net/{name}") for name in ("tcp", "tcp6")]
        lines = [line.split() for table in tables if table.exists() for line in table.read_text().splitlines()[1:]]
        listening = {line[1] for line in lines if line[3] == "0A" and line[1].endswith(f":{port:04X}")}
    assert listening == {f"0100007F:{port:04X}"}


def test_nobody_else_may_read_the_folder(tmp_path: Path) -> None:
    with running(tmp_path / "mailbox") as (_, port):
        send(port)
    assert (tmp_path / "mailbox").stat().st_mode & 0o077 == 0


def test_a_mail_that_cannot_be_stored_is_to_be_sent_again(tmp_path: Path) -> None:
    with running(tmp_path) as (_, port):
        (tmp_path / "tmp").rmdir()
        with pytest.raises(TemporaryFailure, match="451"):
            send(port)


@pytest.mark.parametrize(
    "key", ["", ".", "..", "../secret", "../../etc/passwd", "/etc/passwd", "1.x/../../../secret", "1.\x00", "1.unknown"]
)
def test_a_key_reaches_nothing_but_mails(tmp_path: Path, key: str) -> None:
    (tmp_path / "box" / "new").mkdir(parents=True)
    (tmp_path / "box" / "secret").write_text("Subject: secret\n\n")
    (tmp_path / "box" / "new" / "1.link").symlink_to(tmp_path / "box" / "secret")
    for wanted in (key, "1.link"):
        with pytest.raises(UnknownMail):
            read_mail(tmp_path / "box", wanted)


def test_a_mailbox_that_does_not_exist_is_empty(tmp_path: Path) -> None:
    assert list_mails(tmp_path / "nowhere") == []


def test_strange_mails_do_not_break_the_list(tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    strange = (
        b"",
        b"\xff\xfe\x00",
        b"no header",
        b"Subject: =?broken\n\n",
        b"Content-Type: text/plain; charset=x\n\n\xe4",
    )
    for number, content in enumerate(strange):
        (tmp_path / "new" / f"{number}.M1P1Q1.x").write_bytes(content)
    os.mkdir(tmp_path / "new" / "9.folder")
    found = list_mails(tmp_path)
    assert len(found) == 5
    for mail in found:
        read_mail(tmp_path, mail.key)


def test_the_list_opens_only_what_it_shows(tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    for number in range(1000):
        (tmp_path / "new" / f"{1_700_000_000 + number}.M1P1Q1.x").write_bytes(b"Subject: s\nTo: a@x.ch\n\nbody")
    assert list_mails(tmp_path, limit=3)[0].key.startswith("1700000999.")
    assert len(list_mails(tmp_path)) == 200
    assert len(list_mails(tmp_path, limit=5000)) == 1000
