"""What may be attached: names without folders, https links, at most 10 MB and twenty of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.attachments import (
    LARGEST,
    MOST,
    clean_address,
    clean_name,
    name_of,
    refuse_one_more,
    refuse_size,
    size_in_words,
)
from domain.errors import InvalidInput


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("Offer.pdf", "Offer.pdf"),
        ("  Offer 2026.pdf ", "Offer 2026.pdf"),
        ("../../etc/passwd", "passwd"),
        (r"C:\fakepath\Offer.pdf", "Offer.pdf"),
        ("Übersicht.pdf", "Übersicht.pdf"),  # composed, whatever it came as
        ('quo"te%;.pdf', 'quo"te%;.pdf'),
    ],
)
def test_a_name_has_no_folders_and_is_otherwise_kept(given: str, name: str) -> None:
    assert clean_name(given) == name


@pytest.mark.parametrize(
    "given", ["", "   ", "folder/", ".", "..", "a/..", "a\nb", "a\0b", "=?utf-8?q?x?=", "x\u202efdp.exe", "n" * 201]
)
def test_what_is_no_name_is_refused(given: str) -> None:
    with pytest.raises(InvalidInput):
        clean_name(given)


@given(st.text())
def test_no_name_ever_holds_a_folder_or_a_line_break(text: str) -> None:
    try:
        name = clean_name(text)
    except InvalidInput:
        return
    assert name
    assert not set(name) & set("/\\\r\n\0")
    assert clean_name(name) == name


def test_ten_megabytes_are_the_most_and_one_byte_more_is_refused_with_its_size() -> None:
    refuse_size("film.mp4", LARGEST)
    with pytest.raises(InvalidInput, match=r"film.mp4.*10\.1 MB.*at most 10 MB"):
        refuse_size("film.mp4", LARGEST + 1)


def test_an_empty_file_is_refused() -> None:
    with pytest.raises(InvalidInput, match="empty"):
        refuse_size("nothing.txt", 0)


def test_there_are_at_most_twenty_and_one_of_the_same_name_takes_no_further_place() -> None:
    names = [f"{number}.pdf" for number in range(MOST)]
    refuse_one_more(names[:-1], "another.pdf")
    refuse_one_more(names, "3.pdf")
    with pytest.raises(InvalidInput, match="at most 20"):
        refuse_one_more(names, "another.pdf")


@pytest.mark.parametrize(
    "address",
    [
        "https://intranet.example.com/offer",
        "https://example.com",
        "https://example.com:8443/a?b=c#d",
        "https://xn--bersicht-65a.example.com/%C3%9C",
        "https://example.com/Übersicht?q=?x",
        "HTTPS://example.com/a",
    ],
)
def test_https_addresses_can_be_attached(address: str) -> None:
    assert clean_address(f" {address} ") == address


@pytest.mark.parametrize(
    "address",
    [
        "",
        "offer.pdf",
        "http://example.com/",
        "ftp://example.com/",
        "javascript:alert(1)",
        "data:text/html,x",
        "https:///nowhere",
        "https://",
        "https://user:secret@example.com/",
        "https://user@example.com/",
        "https://exa mple.com/",
        "https://example.com/\nhttps://evil.example",
        "https://example.com/<b>",
        'https://example.com/"onclick',
        "https://example.com\\@evil.example/",
        "https://[::1/",
        "https://example.com:99999/",
        "https://example.com/" + "a" * 2000,
    ],
)
def test_any_other_address_is_refused_with_a_sentence(address: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        clean_address(address)
    assert refused.value.explanation is not None


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("https://example.com/a/Offer%202026.pdf?x=1#y", "Offer 2026.pdf"),
        ("https://example.com/folder/", "folder"),
        ("https://example.com", "example.com"),
        ("https://example.com/%2e%2e", "example.com"),
        ("https://example.com/a%2Fb", "b"),
        ("https://example.com/%0A", "example.com"),
    ],
)
def test_a_link_is_called_by_its_last_part_or_its_host(address: str, name: str) -> None:
    assert name_of(address) == name


def test_two_links_with_the_same_last_part_do_not_take_each_others_place() -> None:
    assert name_of("https://b.example/edit", ["edit", "edit (2)"]) == "edit (3)"


@pytest.mark.parametrize(
    ("size", "words"),
    [(1, "1 bytes"), (1023, "1023 bytes"), (1024, "1.0 KB"), (1025, "1.1 KB"), (LARGEST, "10.0 MB"),
     (LARGEST + 1, "10.1 MB"), (5 * 1024**3, "5120.0 MB")],
)  # fmt: skip
def test_sizes_are_said_in_the_unit_that_fits(size: int, words: str) -> None:
    assert size_in_words(size) == words
