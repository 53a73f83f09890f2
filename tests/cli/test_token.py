"""Tokens on the command line: shown once, listed without their secret, revoked by number."""

from __future__ import annotations

import re

from tests.cli.conftest import REQUESTER, Terminal


def test_a_token_is_printed_once_and_alone_so_that_it_can_be_piped(company: Terminal) -> None:
    said = company("token", "create", REQUESTER, "--name", "build server", "--days", "30")
    assert said.code == 0, said.err
    assert re.fullmatch(r"etappe_[0-9a-f]{64}\n", said.out)
    assert f"It acts for {REQUESTER} until 20" in said.err
    assert said.out.strip() not in said.err
    listed = company("token", "list")
    assert "build server" in listed.out
    assert said.out.strip() not in listed.out
    assert "token" not in company("token", "list", "--json").facts()[0]


def test_a_token_as_json(company: Terminal) -> None:
    made = company("token", "create", REQUESTER, "--name", "x", "--json").facts()
    assert made.keys() == {"id", "person", "expires_at", "token"}
    assert (made["person"], made["expires_at"]) == (REQUESTER, None)


def test_a_token_is_revoked_by_its_number(company: Terminal) -> None:
    number = company("token", "create", REQUESTER, "--name", "x", "--json").facts()["id"]
    assert company("token", "revoke", str(number)).code == 0
    assert [one["state"] for one in company("token", "list", "--json").facts()] == ["revoked"]


def test_what_cannot_be_done_is_one_sentence(company: Terminal) -> None:
    for arguments, sentence in (
        (("revoke", "7"), "There is no token 7"),
        (("create", "stranger@example.com", "--name", "x"), "“stranger@example.com” is not in the directory"),
        (("create", REQUESTER, "--name", " "), "A token needs a name"),
        (("create", REQUESTER, "--name", "x", "--days", "9999"), "1 to 3650 days"),
    ):
        said = company("token", *arguments)
        assert (said.code, said.err.count("\n")) == (1, 1)
        assert sentence in said.err
    assert "There is no token yet" in company("token", "list").out
