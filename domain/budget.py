"""Budget lines: what they hold, what they add up to, and who must approve above which amount."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    WithJsonSchema,
)

from domain.errors import InvalidInput
from domain.plan import Band, Quorum
from domain.reasons import Reason
from domain.typed_text import clean_line, read_number

_LONGEST_ITEM = 200
_CENT = Decimal("0.01")
_MOST_LINES = 200


def _cleaned(item: str) -> str:
    try:
        cleaned = clean_line(item, _LONGEST_ITEM)
    except InvalidInput as refusal:
        raise ValueError(refusal.sentence) from refusal
    if not cleaned:
        raise ValueError("A budget line must say what the money is for.")
    return cleaned


def _amount(value: Any) -> Any:
    """Read an amount as people type it; numbers are left to pydantic."""
    if not isinstance(value, str):
        return value
    try:
        return read_number(value)
    except InvalidInput as refusal:
        raise ValueError(refusal.sentence) from refusal


class BudgetLine(BaseModel):
    """One line of a budget. The currency is the plan's; the amount is above nought, with at most two decimals."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    item: Annotated[str, AfterValidator(_cleaned), Field(min_length=1, max_length=_LONGEST_ITEM)]
    amount: Annotated[
        Decimal,
        Field(gt=0, max_digits=14, decimal_places=2),
        BeforeValidator(_amount),
        AfterValidator(lambda amount: amount.quantize(_CENT)),
        WithJsonSchema({"type": "number", "exclusiveMinimum": 0}),  # one field in a form, not a choice of two
    ]


_LINES = TypeAdapter(list[BudgetLine])


def read_lines(text: str) -> list[BudgetLine]:
    """Return the lines of a budget as people type it, “item: amount” on each line; empty lines are passed over.

    Raises InvalidInput with the first line that cannot be read.
    """
    typed = [line for line in text.replace("\r", "\n").split("\n") if line.strip()]
    if len(typed) > _MOST_LINES:
        raise InvalidInput(Reason("A budget has at most {count} lines.", {"count": _MOST_LINES}))
    return [_read_line(line) for line in typed]


def _read_line(line: str) -> BudgetLine:
    item, colon, amount = line.rpartition(":")
    try:
        return BudgetLine.model_validate({"item": item, "amount": amount if colon else ""})
    except ValidationError as wrong:
        facts = {"line": "".join(character for character in line.strip() if character.isprintable())[:80]}
        sentence = Reason("“{line}” is not a line of a budget; write “Item: 1200.50”, the amount above nought.", facts)
        raise InvalidInput(sentence) from wrong


def lines_given(value: Any) -> list[BudgetLine]:
    """Return the lines of a budget given as a list of lines, or as people type it. Raises InvalidInput for others."""
    if isinstance(value, str):
        return read_lines(value)
    try:
        return _LINES.validate_python(value)
    except ValidationError as wrong:
        sentence = Reason("A budget is a list of lines, each an item and an amount above nought.")
        raise InvalidInput(sentence) from wrong


def as_typed(lines: Iterable[BudgetLine]) -> str:
    """Return budget lines the way `read_lines` reads them."""
    return "\n".join(f"{line.item}: {line.amount:f}" for line in lines)


def total(lines: Iterable[BudgetLine]) -> Decimal:
    """Return what the lines add up to; nought without lines."""
    return sum((line.amount for line in lines), Decimal(0))


def bands_above(bands: Sequence[Band], total: Decimal) -> list[str]:
    """Return the roles that must approve as well at this total, in order and each once.

    A band counts when the total is above its amount, not when it is exactly that.
    """
    roles = (role for band in bands if total > band.above for role in band.approvers)
    return list(dict.fromkeys(roles))


def quorum_above(bands: Sequence[Band], total: Decimal, otherwise: Quorum) -> Quorum:
    """Return the quorum of the highest band below this total that names one, or `otherwise`."""
    named = [band.quorum for band in bands if total > band.above and band.quorum is not None]
    return named[-1] if named else otherwise
