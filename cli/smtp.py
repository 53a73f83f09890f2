"""Whether a mail server answers, and lets us in; no mail is sent."""

from __future__ import annotations

import smtplib
import ssl
from contextlib import closing
from urllib.parse import unquote, urlsplit

from notifications.senders import SmtpSender, UnusableAddress

PATIENCE_SECONDS = 5.0
_PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}


def trouble_with(url: str) -> str:
    """Return what is wrong with a mail server in a few words, "" when nothing is."""
    try:
        SmtpSender(url)
        parts = urlsplit(url)
        with closing(_greeted(url)) as connection:
            if parts.scheme == "smtp+starttls":
                connection.starttls(context=ssl.create_default_context())
            if parts.username:
                connection.login(unquote(parts.username), unquote(parts.password or ""))
            connection.quit()
    except UnusableAddress as refusal:
        return refusal.sentence.removesuffix(".")
    except (smtplib.SMTPException, OSError, UnicodeError) as failure:
        said = " ".join(str(failure).split()) or type(failure).__name__
        return f"the mail server {urlsplit(url).hostname}:{_port(url)} does not answer as it should: {said}"
    return ""


def _greeted(url: str) -> smtplib.SMTP:
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme == "smtps":
        context = ssl.create_default_context()
        return smtplib.SMTP_SSL(host, _port(url), "localhost", timeout=PATIENCE_SECONDS, context=context)
    return smtplib.SMTP(host, _port(url), "localhost", timeout=PATIENCE_SECONDS)


def _port(url: str) -> int:
    parts = urlsplit(url)
    return parts.port or _PORTS[parts.scheme]
