"""The secrets of a decision link: its token and its code, derived from the installation's key and the request.

Whoever renders a mail can make them again, so they rest nowhere; a token is looked up by its hash. Each purpose has a
label of its own, so that no value made for one can serve another (HMAC, RFC 2104).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Sequence

SHORTEST_KEY = 16
# 32 bytes make 43 characters; the last one carries only four bits.
_TOKEN = re.compile(r"[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]")
_BETWEEN_DIGITS = re.compile(r"[\s\u00ad\u200b\u2010-\u2015\u2212-]+")


def link_token(key: bytes, request_id: str, number: int) -> str:
    """Return the token of a request's link: 256 bits, 43 characters that need no quoting in an address.

    `number` counts the request's links. Raises ValueError for a key of fewer than 16 bytes.
    """
    return _token(_derived(key, "link", request_id, number))


def page_token(key: bytes, rollout_id: str) -> str:
    """Return the token of a rollout's page, which shows and changes nothing. Raises ValueError as `link_token` does."""
    return _token(_derived(key, "page", rollout_id))


def is_page_token(keys: Sequence[bytes], rollout_id: str, token: str) -> bool:
    """Whether this opens a rollout's page, by whichever of the keys it was made; compared in constant time."""
    given = token.encode("utf-8", "replace")
    return any(hmac.compare_digest(given, page_token(key, rollout_id).encode()) for key in keys)


def rollout_page(base_url: str, key: bytes, rollout_id: str) -> str:
    """Return the address of a rollout's page. Raises ValueError as `link_token` does."""
    return f"{base_url}/rollouts/{rollout_id}/{page_token(key, rollout_id)}"


def board_token(key: bytes) -> str:
    """Return the token of the board, which shows and changes nothing. Raises ValueError as `link_token` does."""
    return _token(_derived(key, "board"))


def is_board_token(keys: Sequence[bytes], token: str) -> bool:
    """Whether this opens the board, by whichever of the keys it was made; compared in constant time."""
    given = token.encode("utf-8", "replace")
    return any(hmac.compare_digest(given, board_token(key).encode()) for key in keys)


def board(base_url: str, key: bytes) -> str:
    """Return the address of the board. Raises ValueError as `link_token` does."""
    return f"{base_url}/board/{board_token(key)}"


def feed_token(key: bytes, person: str, number: int) -> str:
    """Return the token of a person's calendar feed. `number` counts their feeds. Raises ValueError as `link_token`."""
    return _token(_derived(key, "feed", person, number))


def code(key: bytes, request_id: str, number: int) -> str:
    """Return the six digits that go with a link. Raises ValueError for a key of fewer than 16 bytes."""
    return f"{int.from_bytes(_derived(key, 'code', request_id, number)) % 1_000_000:06d}"


def token_hash(token: str) -> str:
    """Return the SHA-256 of a token in hex (64 characters), under which it is stored."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def key_id(key: bytes) -> str:
    """Return 16 characters that name a key without giving it away. Raises ValueError for a key under 16 bytes."""
    return _derived(key, "key id").hex()[:16]


def same_code(given: str, expected: str) -> bool:
    """Whether the code typed is the one expected, in constant time; spaces and hyphens are ignored."""
    typed = _BETWEEN_DIGITS.sub("", given)
    return bool(expected) and hmac.compare_digest(typed.encode("utf-8", "replace"), expected.encode())


def looks_like_token(text: str) -> bool:
    """Whether this has the form of a token. A mutilated link has not, as a rule."""
    return _TOKEN.fullmatch(text) is not None


def _token(secret: bytes) -> str:
    return base64.urlsafe_b64encode(secret).rstrip(b"=").decode()


def _derived(key: bytes, purpose: str, *facts: str | int) -> bytes:
    if len(key) < SHORTEST_KEY:
        raise ValueError(f"a secret key needs at least {SHORTEST_KEY} bytes")
    return hmac.digest(key, json.dumps(["etappe", purpose, *facts]).encode(), "sha256")
