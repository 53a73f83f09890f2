"""The only reader of the environment."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from settings.last_start import remembered

CHECKOUT = Path(__file__).resolve().parent.parent
DEFAULT_WEB_PORT = 8400
DEFAULT_PREFECT_PORT = 4200
DEFAULT_SMTP_PORT = 1025
WORK_POOL = "etappe"
"""The work pool in Prefect that all of Etappe's flow runs go through."""
WARM = "warm"
"""Etappe's own type of worker (docs/adr/0013)."""


Named = tuple[tuple[str, str], ...]
"""Names, each with what it stands for; a name may come several times. What has no “=” in it stands for nothing."""


@dataclass(frozen=True)
class Settings:
    """Everything an installation can be told. Unset, all is local: SQLite, own mailbox, own secret."""

    home: Path
    database_url: str
    base_url: str
    smtp_url: str
    mail_from: str
    plan_folders: tuple[Path, ...] = ()
    given_secret_keys: tuple[str, ...] = field(default=(), repr=False)
    check_keys: Named = field(default=(), repr=False)
    check_hosts: tuple[str, ...] = ()
    metric_databases: Named = field(default=(), repr=False)
    chat_urls: Named = field(default=(), repr=False)
    worker_type: str = WARM

    @classmethod
    def from_environment(cls, environment: dict[str, str] | None = None) -> Settings:
        """Read ETAPPE_HOME, ETAPPE_DATABASE_URL, ETAPPE_BASE_URL, ETAPPE_SMTP_URL, ETAPPE_MAIL_FROM, ETAPPE_PLANS,
        ETAPPE_SECRET_KEYS, ETAPPE_CHECK_KEYS, ETAPPE_CHECK_HOSTS, ETAPPE_METRIC_DATABASES, ETAPPE_CHAT_URLS and
        ETAPPE_WORKER_TYPE from `environment` (default: the process's own).

        Where pages and mailbox are, unset, is where the last `etappe start` of this home has put them."""
        given = dict(os.environ if environment is None else environment)
        home = Path(given.get("ETAPPE_HOME") or CHECKOUT / "var").expanduser().resolve()
        local = {
            "ETAPPE_BASE_URL": f"http://127.0.0.1:{DEFAULT_WEB_PORT}",
            "ETAPPE_SMTP_URL": f"smtp://127.0.0.1:{DEFAULT_SMTP_PORT}",
            **remembered(home),
        }
        return cls(
            home=home,
            database_url=given.get("ETAPPE_DATABASE_URL") or f"sqlite:///{home / 'etappe.db'}",
            base_url=(given.get("ETAPPE_BASE_URL") or local["ETAPPE_BASE_URL"]).rstrip("/"),
            smtp_url=given.get("ETAPPE_SMTP_URL") or local["ETAPPE_SMTP_URL"],
            mail_from=given.get("ETAPPE_MAIL_FROM") or "Etappe <etappe@localhost>",
            plan_folders=tuple(Path(p).expanduser() for p in given.get("ETAPPE_PLANS", "").split(os.pathsep) if p),
            given_secret_keys=tuple(_listed(given.get("ETAPPE_SECRET_KEYS", ""))),
            check_keys=_named(given.get("ETAPPE_CHECK_KEYS", "")),
            check_hosts=tuple(host.lower() for host in _listed(given.get("ETAPPE_CHECK_HOSTS", ""))),
            metric_databases=_named(given.get("ETAPPE_METRIC_DATABASES", "")),
            chat_urls=_named(given.get("ETAPPE_CHAT_URLS", "")),
            worker_type=given.get("ETAPPE_WORKER_TYPE") or WARM,
        )

    @property
    def mailbox_folder(self) -> Path:
        """The Maildir of the local mailbox."""
        return self.home / "mailbox"

    @property
    def has_own_mailbox(self) -> bool:
        """Whether mail goes to the local mailbox (nobody gave ETAPPE_SMTP_URL another host)."""
        return self.smtp_url.startswith("smtp://127.0.0.1:")

    @cached_property
    def secret_keys(self) -> tuple[bytes, ...]:
        """The keys that links and codes are derived from; the first one signs what is new.

        Unset, one is made on first use and kept in {home}/secret-key, readable by its owner alone.
        """
        if self.given_secret_keys:
            return tuple(key.encode() for key in self.given_secret_keys)
        return (_own_secret(self.home / "secret-key").encode(),)


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _named(text: str) -> Named:
    parts = (part.partition("=") for part in _listed(text))
    return tuple((name.strip(), value.strip()) for name, _, value in parts)


def _own_secret(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_urlsafe(48))
    return path.read_text().strip()
