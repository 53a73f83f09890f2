"""`etappe attach`, `attachments`, `detach`, and answering a request for changes from a shell."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import REQUESTER, Terminal

BOARD = "anna.keller@example.com"
GATE = "executive-sign-off"


def test_a_file_and_a_link_are_attached_listed_and_taken_off(
    company: Terminal, rollout_id: str, tmp_path: Path
) -> None:
    offer = tmp_path / "Offer 2026.txt"
    offer.write_bytes(b"12 500")
    assert company("attach", rollout_id, str(offer)).out.startswith("Attached “Offer 2026.txt”.")
    assert company("attach", rollout_id, str(offer), "--name", "Copy.txt", "--by", REQUESTER).code == 0
    assert company("attach", rollout_id, "https://intranet.example.com/offer").code == 0
    found = company("attachments", rollout_id, "--json").facts()
    assert [(one["name"], one["size"], one["url"], one["added_by"]) for one in found] == [
        ("Copy.txt", 6, None, REQUESTER),
        ("Offer 2026.txt", 6, None, "operator"),
        ("offer", 0, "https://intranet.example.com/offer", "operator"),
    ]
    listed = company("attachments", rollout_id).out
    assert "6 bytes" in listed
    assert "https://intranet.example.com/offer" in listed
    assert company("detach", rollout_id, "offer").out == "Took off “offer”.\n"
    assert len(company("attachments", rollout_id, "--json").facts()) == 2


def test_what_cannot_be_attached_is_refused_in_one_sentence(company: Terminal, rollout_id: str, tmp_path: Path) -> None:
    (tmp_path / "empty.txt").touch()
    for what, sentence in (
        (str(tmp_path / "missing.txt"), "No such file"),
        (str(tmp_path), "is not a file"),
        (str(tmp_path / "empty.txt"), "is empty"),
        ("http://example.com", "Only https addresses"),
    ):
        said = company("attach", rollout_id, what)
        assert (said.code, said.out, said.err.count("\n")) == (1, "", 1)
        assert sentence in said.err
    assert company("attachments", rollout_id).out == "Nothing is attached.\n"


def test_an_unknown_rollout_or_attachment_is_refused(company: Terminal, rollout_id: str) -> None:
    assert "There is no rollout" in company("attachments", "nowhere").err
    assert "Nothing called “x” is attached" in company("detach", rollout_id, "x").err


def test_a_request_for_changes_is_shown_and_answered(company: Terminal, rollout_id: str, tmp_path: Path) -> None:
    asked = company("gate", "decide", rollout_id, GATE, "--by", BOARD, "--decision", "request-changes",
                    "--comment", "What does it cost?")  # fmt: skip
    assert asked.code == 0, asked.err
    assert "its clock stands still" in company("rollout", "show", rollout_id).out
    shown = company("gate", "show", rollout_id, GATE, "--by", REQUESTER).out
    assert "“What does it cost?”" in shown
    offer = tmp_path / "Offer.txt"
    offer.write_bytes(b"900")
    said = company("gate", "respond", rollout_id, GATE, "--reply", "Less than before.", "--budget", "Video=900",
                   "--attach", str(offer), "--by", REQUESTER)  # fmt: skip
    assert said.code == 0, said.err
    again = company("gate", "show", rollout_id, GATE, "--by", BOARD).out
    for fact in ("“Less than before.”", "Video: 1200.00 → Video: 900.00", "attached: Offer.txt (3 bytes)"):
        assert fact in again


def test_an_answer_that_nobody_asked_for_is_refused_and_so_is_a_stranger(company: Terminal, rollout_id: str) -> None:
    said = company("gate", "respond", rollout_id, GATE, "--reply", "x", "--by", REQUESTER)
    assert (said.code, said.err) == (1, "Nobody asks for changes at this gate.\n")
    said = company("gate", "respond", rollout_id, GATE, "--reply", "x", "--by", BOARD)
    assert said.code == 1
    assert "does not look after this rollout" in said.err
