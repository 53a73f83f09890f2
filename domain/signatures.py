"""Signed calls by other systems, as Standard Webhooks has them: https://github.com/standard-webhooks/standard-webhooks.

A call carries its message's id, the moment of sending in Unix seconds, and signatures: HMAC-SHA256 over
“id.timestamp.body”, in base64, after “v1,”; several are separated by blanks.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Sequence
from datetime import datetime, timedelta

TOLERANCE = timedelta(minutes=5)
"""How far the moment of sending may be from now, both ways."""
_MESSAGE_ID = re.compile(r"[!-\-/-~]{1,200}", re.ASCII)  # visible, and without a full stop, which separates
_PREFIX = "whsec_"
_KEY_BYTES = range(24, 65)


def key(secret: str) -> bytes:
    """Return the key of a secret as it is given to people: base64, with or without “whsec_” before it.

    Raises ValueError, in words, for anything else, and for a key of fewer than 24 or more than 64 bytes.
    """
    try:
        decoded = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("is not base64; write “whsec_” and 24 to 64 random bytes in base64") from None
    if len(decoded) not in _KEY_BYTES:
        raise ValueError(f"is {len(decoded)} bytes long; write “whsec_” and 24 to 64 random bytes in base64")
    return decoded


def sign(key: bytes, message_id: str, timestamp: str, body: bytes) -> str:
    """Return the signature of a call, such as “v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=”."""
    signed = b".".join((message_id.encode(), timestamp.encode(), body))
    return f"v1,{base64.b64encode(hmac.digest(key, signed, 'sha256')).decode()}"


def is_signed(keys: Sequence[bytes], message_id: str, timestamp: str, signatures: str, body: bytes) -> bool:
    """Whether one of the signatures was made with one of the keys."""
    if not _MESSAGE_ID.fullmatch(message_id):
        return False
    given = [signature.encode("utf-8", "replace") for signature in signatures.split()]
    wanted = [sign(key, message_id, timestamp, body).encode() for key in keys]
    return any(hmac.compare_digest(one, other) for one in given for other in wanted)


def is_timely(timestamp: str, now: datetime) -> bool:
    """Whether a call was sent just now (aware), so that one that was listened to cannot be played again later."""
    if not timestamp.isascii() or not timestamp.isdigit() or len(timestamp) > 12:
        return False
    return abs(now.timestamp() - int(timestamp)) <= TOLERANCE.total_seconds()
