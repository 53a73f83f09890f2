"""Keeps the secrets of links, pages and calendar feeds, and tokens, out of every log."""

from __future__ import annotations

import logging
import re

from domain.tokens import PREFIX

_LINK = re.compile(r"(/decide/)[^\s\"'?#]+(?:\?[^\s\"']*)?", re.IGNORECASE)
_PAGE = re.compile(r"(?<!/api/v1)(/rollouts/[^/\s\"'?#]+/)[^\s\"'?#]+", re.IGNORECASE)
_BOARD = re.compile(r"(/board/)[^\s\"'?#]+", re.IGNORECASE)
_FEED = re.compile(r"(/calendar/)[^\s\"'?#]+", re.IGNORECASE)
_API_TOKEN = re.compile(rf"({PREFIX})[0-9a-z]+", re.IGNORECASE)
_BEARER = re.compile(r"(bearer\s+)[^\s\"',]+", re.IGNORECASE)


def masked(text: str) -> str:
    """Return a text with the tokens of links, rollouts' pages, the board, feeds and the API replaced by an ellipsis."""
    for secret in (_LINK, _PAGE, _BOARD, _FEED, _API_TOKEN, _BEARER):
        text = secret.sub(r"\1…", text)
    return text


class MaskTokens(logging.Filter):
    """Masks the message, the arguments and the traceback of a log record."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record pass, masked."""
        record.msg = masked(record.msg) if isinstance(record.msg, str) else record.msg
        if isinstance(record.args, tuple):
            record.args = tuple(masked(part) if isinstance(part, str) else part for part in record.args)
        if record.exc_info:
            record.exc_text = masked(logging.Formatter().formatException(record.exc_info))
        return True
