"""What a request tells about who sends it, before anybody is known: a language, and whether it is local."""

from __future__ import annotations

from ipaddress import ip_address

from fastapi import Request

LANGUAGES = ("en", "de")
"""The first one is for those who prefer none of them."""

_LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
_PROXY_HEADERS = ("forwarded", "x-forwarded-for", "x-real-ip")


def language_of(request: Request, otherwise: str = LANGUAGES[0]) -> str:
    """Return the language this browser prefers (RFC 9110, 12.5.4); `otherwise` where it prefers none of ours."""
    return preferred(request.headers.get("accept-language", ""), otherwise)


def preferred(accepted: str, otherwise: str = LANGUAGES[0]) -> str:
    """Return “de” or “en”, whichever an Accept-Language header likes better; `otherwise` where it likes neither."""
    weights = dict.fromkeys(LANGUAGES, 0.0)
    for part in accepted[:500].split(","):
        tag, _, parameters = part.strip().partition(";")
        language = tag.strip().lower().partition("-")[0]
        if language in weights:
            weights[language] = max(weights[language], _weight(parameters))
    best = max(LANGUAGES, key=lambda language: weights[language])
    return best if weights[best] > 0 else otherwise


def _weight(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    if name != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0


def is_local(request: Request) -> bool:
    """Whether the request comes from this machine, asks for it by a local name, and passed no proxy.

    The name is checked because a foreign page can point its own name at 127.0.0.1 (DNS rebinding).
    """
    if request.client is None or any(name in request.headers for name in _PROXY_HEADERS):
        return False
    return _is_loopback(request.client.host) and (request.url.hostname or "") in _LOCAL_NAMES


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
