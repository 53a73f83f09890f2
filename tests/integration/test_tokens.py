"""Tokens: each acts for one person who is there, for as long as it holds, and rests nowhere but as its hash."""

from __future__ import annotations

from datetime import timedelta
from threading import Barrier, Thread

import pytest
from sqlalchemy import select

from domain.errors import InvalidInput, TokenRefused, UnknownPerson, UnknownToken
from models.access import ApiToken
from models.database import Database
from operations.tokens import list_tokens, make_token, person_of, revoke_token
from tests.company import MONDAY, PEOPLE, Company

ANNA, BEN = "anna@example.com", "ben@example.com"


@pytest.fixture
def company(db: Database) -> Company:
    """A company with people in it."""
    return Company(db)


def test_a_token_acts_for_its_person_and_is_stored_as_a_hash(company: Company) -> None:
    made = make_token(company.db, " Anna@Example.com ", "build server", MONDAY)
    assert person_of(company.db, made.token, MONDAY) == ANNA
    with company.db.read() as session:
        [row] = session.scalars(select(ApiToken))
    assert made.token.removeprefix("etappe_") not in str(vars(row))
    assert (row.person, row.name, row.expires_at) == (ANNA, "build server", None)


def test_two_tokens_of_one_person_are_two_secrets(company: Company) -> None:
    first, second = (make_token(company.db, ANNA, name, MONDAY) for name in ("a", "b"))
    assert first.token != second.token
    revoke_token(company.db, first.id, MONDAY)
    assert person_of(company.db, second.token, MONDAY) == ANNA


@pytest.mark.parametrize("shown", ["", "x", "etappe_", "etappe_" + "0" * 64, "etappe_" + "0" * 63 + "\0", "é" * 70])
def test_what_is_no_token_of_ours_opens_nothing(company: Company, shown: str) -> None:
    make_token(company.db, ANNA, "build server", MONDAY)
    with pytest.raises(TokenRefused, match="not one of ours"):
        person_of(company.db, shown, MONDAY)


def test_a_token_holds_until_the_moment_it_expires(company: Company) -> None:
    made = make_token(company.db, ANNA, "for a day", MONDAY, days=1)
    end = MONDAY + timedelta(days=1)
    assert made.expires_at == end
    assert person_of(company.db, made.token, end - timedelta(microseconds=1)) == ANNA
    with pytest.raises(TokenRefused, match="has expired"):
        person_of(company.db, made.token, end)


def test_a_revoked_token_opens_nothing_and_stays_revoked_since_then(company: Company) -> None:
    made = make_token(company.db, ANNA, "build server", MONDAY)
    revoke_token(company.db, made.id, MONDAY)
    revoke_token(company.db, made.id, MONDAY + timedelta(days=1))
    with pytest.raises(TokenRefused, match="was revoked"):
        person_of(company.db, made.token, MONDAY)
    [listed] = list_tokens(company.db, MONDAY)
    assert (listed["state"], listed["revoked_at"]) == ("revoked", MONDAY.isoformat())


def test_the_token_of_somebody_who_has_gone_opens_nothing_until_they_are_back(company: Company) -> None:
    made = make_token(company.db, ANNA, "build server", MONDAY)
    company.import_people(PEOPLE.replace("anna@example.com", "anne@example.com"))
    with pytest.raises(TokenRefused, match="no longer in the directory"):
        person_of(company.db, made.token, MONDAY)
    assert [one["state"] for one in list_tokens(company.db, MONDAY)] == ["person gone"]
    company.import_people(PEOPLE)
    assert person_of(company.db, made.token, MONDAY) == ANNA


def test_a_token_is_made_for_somebody_who_is_there_with_a_name_and_a_life_that_can_be_lived(company: Company) -> None:
    with pytest.raises(UnknownPerson):
        make_token(company.db, "stranger@example.com", "x", MONDAY)
    for name in ("", "  ", "a\nb", "x" * 101):
        with pytest.raises(InvalidInput):
            make_token(company.db, ANNA, name, MONDAY)
    for days in (0, -1, 3651, 10**12):
        with pytest.raises(InvalidInput):
            make_token(company.db, ANNA, "x", MONDAY, days=days)
    with pytest.raises(UnknownToken):
        revoke_token(company.db, 7, MONDAY)
    assert list_tokens(company.db, MONDAY) == []


def test_many_made_at_once_are_all_different(company: Company) -> None:
    barrier, made = Barrier(6), []

    def make() -> None:
        barrier.wait()
        made.append(make_token(company.db, BEN, "at once", MONDAY).token)

    threads = [Thread(target=make) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == len(list_tokens(company.db, MONDAY)) == 6
