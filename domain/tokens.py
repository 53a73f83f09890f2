"""What a token for the API looks like: a prefix that scanners for secrets find, and 256 bits in hex."""

from __future__ import annotations

import hashlib
import re

PREFIX = "etappe_"
SECRET_BYTES = 32
_TOKEN = re.compile(rf"{PREFIX}[0-9a-f]{{{2 * SECRET_BYTES}}}")


def written(secret: bytes) -> str:
    """Return the token that stands for a secret of 32 bytes: 71 characters. Raises ValueError for any other length."""
    if len(secret) != SECRET_BYTES:
        raise ValueError(f"a token is made of {SECRET_BYTES} bytes")
    return f"{PREFIX}{secret.hex()}"


def looks_like_token(text: str) -> bool:
    """Whether this has the form of a token."""
    return _TOKEN.fullmatch(text) is not None


def token_hash(token: str) -> str:
    """Return the SHA-256 of a token in hex (64 characters), under which it is stored.

    No salt and no slow hash: 256 random bits cannot be guessed, and looking a hash up tells nothing by its timing.
    """
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
