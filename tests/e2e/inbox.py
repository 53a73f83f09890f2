"""The mails that came over SMTP, as the people who got them would look for them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from notifications.mailbox import StoredMail, list_mails, read_mail
from tests.e2e.running import eventually

_LINK = re.compile(r"http\S+/decide/\S+")
_CODE = re.compile(r"^\s*(\d{3}) (\d{3})\s*$", re.MULTILINE)
EVERYTHING = 10_000


def link_in(mail: StoredMail) -> str:
    """The link of a mail."""
    [link] = _LINK.findall(mail.text)
    return str(link)


def code_in(mail: StoredMail) -> str:
    """The code of a mail, as somebody types it."""
    [(first, second)] = _CODE.findall(mail.text)
    return f"{first}{second}"


@dataclass
class Inbox:
    """Everybody's mail."""

    folder: Path
    _read: dict[str, StoredMail] = field(default_factory=dict)

    def mails(self, *, to: str = "", kind: str = "", rollout: str = "", gate: str = "") -> list[StoredMail]:
        """The mails that fit, oldest first."""
        for summary in reversed(list_mails(self.folder, EVERYTHING)):
            if summary.key not in self._read:
                self._read[summary.key] = read_mail(self.folder, summary.key)
        wanted = {"Delivered-To": to, "X-Etappe-Kind": kind, "X-Etappe-Rollout": rollout, "X-Etappe-Gate": gate}
        given = {name: value for name, value in wanted.items() if value}
        return [mail for mail in self._read.values() if given.items() <= mail.headers.items()]

    def news(self, said: str, *, to: str, rollout: str) -> list[StoredMail]:
        """The mails that say something, such as “Passed: The gate”, alone or together with other news."""
        return [mail for mail in self.mails(to=to, rollout=rollout) if said in f"{mail.subject}\n{mail.text}"]

    def wait_for(
        self, *, to: str, kind: str = "request", gate: str = "", title: str = "", after: int = 0
    ) -> StoredMail:
        """Wait for a mail, and return the newest that fits; `after` is how many of them came before."""

        def come() -> list[StoredMail]:
            return [mail for mail in self.mails(to=to, kind=kind, gate=gate) if title in mail.subject]

        found: list[StoredMail] = eventually(lambda: come()[after:], f"a {kind} to {to} about {gate or title}")
        return found[-1]
