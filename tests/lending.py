"""A company in which voices are lent, and where everything stands that people were asked."""

from __future__ import annotations

from models.requests import RequestState, VoidReason
from tests.company import PEOPLE, Company
from tests.sample_plans import SIGN_OFF, one_gate

DIRECTORY = PEOPLE.replace(
    "  - {email: anna@example.com, name: Anna Keller, language: de}",
    "  - {email: anna@example.com, name: Anna Keller, language: de, assistant: fritz@example.com}\n"
    "  - {email: fritz@example.com, name: Fritz Amrein, language: de}\n"
    "  - {email: gina@example.com, name: Gina Lutz, language: de}\n"
    "  - {email: hugo@example.com, name: Hugo Berg, language: en}",
).replace("roles:", "roles:\n  administrator: [gina@example.com]", 1)
ALL = one_gate(f"{SIGN_OFF}, quorum: all")


def states_of(company: Company, *people: str) -> list[tuple[RequestState, VoidReason | None]]:
    """Where everything stands that these people were asked, in the order of asking."""
    return [(row.state, row.void_reason) for person in people for row in company.requests(person)]


OPEN, DONE = (RequestState.OPEN, None), (RequestState.DONE, None)
SPOKEN_FOR = (RequestState.VOID, VoidReason.SPOKEN_FOR)
OVER = (RequestState.VOID, VoidReason.DELEGATION_OVER)
