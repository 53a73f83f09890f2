"""The directory on the command line."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Terminal
from tests.company import PEOPLE


def test_people_are_imported_and_listed(company: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "people.yaml"
    file.write_text(PEOPLE)
    imported = {"present": 6, "new": 6, "gone": 18, "closures": 0, "closures_before": 0}
    assert company("people", "import", str(file), "--json").facts() == imported
    assert company("people", "import", str(file)).out == "In the directory: 6, of them new: 0. Gone: 0.\n"
    people = {one["email"]: one for one in company("people", "list", "--json").facts()}
    assert people["emil@example.com"]["roles"] == ["chair", "finance-head", "staff"]
    assert "Emil Vogt" in company("people", "list").out


def test_each_import_says_how_many_closures_there_are_and_were(company: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "people.yaml"
    file.write_text(f"{PEOPLE}closures: [{{first: 2026-12-24, last: 2027-01-01, title: Betriebsferien}}]\n")
    assert company("people", "import", str(file)).out.endswith("Closures of the company: 1; before, there were 0.\n")
    file.write_text(PEOPLE)
    assert company("people", "import", str(file)).out.endswith("Closures of the company: 0; before, there were 1.\n")


def test_a_broken_file_changes_nothing_and_every_problem_has_its_place(company: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "people.yaml"
    file.write_text("people:\n  - {email: nobody, name: N}\nroles:\n  board: [x@example.com]\n")
    said = company("people", "import", str(file))
    assert said.code == 1
    assert f"{file}:2:" in said.err
    assert len(company("people", "list", "--json").facts()) == 18


def test_the_sample_is_imported_once_only(company: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "people.yaml"
    file.write_text(PEOPLE)
    company("people", "import", str(file))
    assert company("migrate", "--sample-people").out == "The database is up to date.\n"
    assert len(company("people", "list", "--json").facts()) == 6


def test_the_address_of_a_feed_is_printed_and_changes_when_it_is_renewed(company: Terminal) -> None:
    first, again = (
        company("people", "feed", "anna.keller@example.com"),
        company("people", "feed", "Anna.Keller@example.com"),
    )
    assert first.out == again.out
    assert first.out.startswith("http://127.0.0.1:9/calendar/")
    assert company("people", "feed", "anna.keller@example.com", "--renew").out != first.out
    assert company("people", "feed", "nobody@example.com").err == "nobody@example.com is not in the directory.\n"
