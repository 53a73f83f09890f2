"""What few rollouts have any of: one question tells what there is, so that hardly anything is looked for in vain."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Exists, Select, literal_column, select, union_all

from models.absences import absences_now, absences_now_of, is_somebody_away
from models.conditions import conditions_made_at, conditions_of
from models.delegations import delegations_now, delegations_now_by
from models.evidence import attachments_of, attachments_of_any, standing_decisions_at
from models.exclusive import claims_of
from models.gates import answered_in_earlier_rounds
from models.people import chats, closures
from models.reading import prepared
from models.record import chasing_at, chasing_in_any
from models.requests import decisions_at_any

CHATS = "chats"
CLOSURES = "closures"
SELDOM: Mapping[Callable[..., Select[Any]], str] = {
    answered_in_earlier_rounds: "earlier answers",
    attachments_of: "attachments",
    claims_of: "claims",
    conditions_made_at: "conditions",
    delegations_now_by: "delegations",
    is_somebody_away: "absences",
}
"""The queries about one rollout that find nothing unless there is something of this kind."""


@prepared
def there_is(rollout_id: str, now: datetime) -> Select[str]:
    """What of all that is seldom there is now, in this rollout or in the company."""
    any_of: Mapping[str, Select[*tuple[Any, ...]]] = {
        CHATS: chats(),
        CLOSURES: closures(),
        SELDOM[answered_in_earlier_rounds]: answered_in_earlier_rounds(rollout_id),
        SELDOM[attachments_of]: attachments_of(rollout_id),
        SELDOM[claims_of]: claims_of(rollout_id),
        SELDOM[conditions_made_at]: conditions_of(rollout_id),
        SELDOM[delegations_now_by]: delegations_now(now),
        SELDOM[is_somebody_away]: absences_now(now),
    }
    return _names_of_what_there_is(any_of)


SELDOM_IN_MAILS: Mapping[Callable[..., Select[Any]], str] = {
    absences_now_of: "absences",
    attachments_of: "attachments",
    chasing_at: "reminders",
    standing_decisions_at: "decisions",
}
"""The queries of whoever writes mails that find nothing unless there is something of this kind."""


@prepared
def there_is_for_mails(rollout_ids: Collection[str], gate_ids: Collection[int], now: datetime) -> Select[str]:
    """What of all that is seldom there now, in any of these rollouts, at any of these gates, or in the company."""
    any_of: Mapping[str, Select[*tuple[Any, ...]]] = {
        SELDOM_IN_MAILS[absences_now_of]: absences_now(now),
        SELDOM_IN_MAILS[attachments_of]: attachments_of_any(rollout_ids),
        SELDOM_IN_MAILS[chasing_at]: chasing_in_any(rollout_ids),
        SELDOM_IN_MAILS[standing_decisions_at]: decisions_at_any(gate_ids),
    }
    return _names_of_what_there_is(any_of)


def _names_of_what_there_is(any_of: Mapping[str, Select[*tuple[Any, ...]]]) -> Select[str]:
    each: list[Select[str]] = [select(literal_column(f"'{name}'")).where(_any(query)) for name, query in any_of.items()]
    return cast("Select[str]", union_all(*each))


def _any(query: Select[*tuple[Any, ...]]) -> Exists:
    return query.with_only_columns(literal_column("1"), maintain_column_froms=True).order_by(None).exists()
