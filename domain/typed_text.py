"""What people type, made safe to store, to mail and to show: lines, longer texts, numbers.

A line may reach a mail's subject. Python 3.11.7's EmailMessage turns an encoded newline in a subject into a header of
its own (CVE-2024-6923), so a line can hold neither control characters nor the beginning of an encoded word (RFC 2047).
"""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal

from domain.errors import InvalidInput

_BIDI_CONTROLS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_BLANKS = "\n \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
_LINE_BREAKS = re.compile("\r\n|[\r\u0085\u2028\u2029]")
_LINE_BREAKING = frozenset({"Cc", "Zl", "Zp"})
_NUMBER = re.compile(r"([-\u2212]?)(\d{1,3}(?:['’ \u00a0\u202f]\d{3}){1,4}|\d{1,15})(?:[.,](\d{1,9}))?", re.ASCII)
_TWO_READINGS = re.compile(r"[-\u2212]?[1-9]\d{0,2}[.,]\d{3}", re.ASCII)


def clean_line(text: str, max_length: int) -> str:
    """Return a line in NFC without blanks around it; "" when there is nothing to see in it.

    Raises InvalidInput for control characters, line breaks, “=?”, surrogates, characters that turn the direction of
    writing, and for more than `max_length` characters.
    """
    if any(unicodedata.category(character) in _LINE_BREAKING for character in text):
        raise InvalidInput("A line cannot hold line breaks, tabs or other control characters; write it in one line.")
    line = _normalised(text, max_length)
    if "=?" in line:
        raise InvalidInput("“=?” cannot be written here, because mail programs would read it as an instruction.")
    return line


def clean_text(text: str, max_length: int) -> str:
    """Return a text in NFC without blanks around it, its line breaks as “\\n” and its tabs as spaces.

    "" when there is nothing to see in it. Raises InvalidInput for other control characters, surrogates, characters
    that turn the direction of writing, and for more than `max_length` characters.
    """
    lines = _LINE_BREAKS.sub("\n", text).replace("\t", " ")
    if any(unicodedata.category(character) == "Cc" for character in lines.replace("\n", "")):
        raise InvalidInput("The text holds a control character that cannot be stored; type it again without.")
    return _normalised(lines, max_length)


def read_number(text: str) -> Decimal:
    """Read a number as people type it: “12,5”, “12.5”, “1'000”, “1 000”, “-3”.

    Raises InvalidInput for anything else, and for “1,000” and “1.000”, which some read as a thousand and some as one.
    For machines that write Decimals, `Decimal` is the better reader.
    """
    typed = text.strip()
    match = _NUMBER.fullmatch(typed)
    if match is None:
        raise InvalidInput(f"“{_excerpt(typed)}” is not a number; write it like 1200, 1'200 or 12.5.")
    if _TWO_READINGS.fullmatch(typed):
        raise InvalidInput(f"“{typed}” can be read in two ways; write {_digits(typed)} or {typed[:-1]}.")
    sign, whole, fraction = match.groups()
    return Decimal(f"{'-' if sign else ''}{_digits(whole)}{f'.{fraction}' if fraction else ''}")


def plain_number(number: Decimal) -> str:
    """Return a number without exponent, grouping or needless noughts: “12.5”, “1000”, “0”."""
    written = f"{number:f}"
    if "." in written:
        written = written.rstrip("0").rstrip(".")
    return "0" if written == "-0" else written


def _normalised(text: str, max_length: int) -> str:
    if any(unicodedata.category(character) == "Cs" for character in text):
        raise InvalidInput("The text holds half a character (a surrogate) that cannot be stored; type it again.")
    if not _BIDI_CONTROLS.isdisjoint(text):
        raise InvalidInput("The text holds characters that turn the direction of writing; type it again without.")
    normal = unicodedata.normalize("NFC", text).strip(_BLANKS)
    if len(normal) > max_length:
        raise InvalidInput(f"At most {max_length} characters fit here; these are {len(normal)}.")
    return normal if any(map(_is_seen, normal)) else ""


def _is_seen(character: str) -> bool:
    """Blanks, line breaks and zero-width characters alone say nothing."""
    return unicodedata.category(character) not in {"Cc", "Cf", "Zs"}


def _digits(text: str) -> str:
    return "".join(character for character in text if character in "0123456789")


def _excerpt(text: str) -> str:
    shown = "".join(character for character in text if character.isprintable())
    return shown if len(shown) <= 30 else f"{shown[:30]}…"
