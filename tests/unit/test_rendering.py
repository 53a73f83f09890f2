"""Every mail, in both languages, says all it must, once, whatever people have typed."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from domain.states import DecisionKind
from notifications.messages import Mail
from notifications.rendering import TEMPLATES, Rendered, render
from tests import mails

LANGUAGES = ("de", "en")
ASKING = ("request", "reminder", "escalation", "code")
ORDINARY = {
    f"{language}-{template}-{name}": mail
    for language in LANGUAGES
    for name, asked in mails.by_purpose(language).items()
    for template, mail in mails.every_mail(language, asked).items()
}
WORST = {
    f"{language}-{template}": mail
    for language in LANGUAGES
    for template, mail in mails.every_mail(language, mails.worst(language)).items()
}
_VOID = frozenset({"meta", "br", "base", "img", "hr"})


class Page(HTMLParser):
    """What a mail program sees: the text, the links, and what is not closed in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []
        self.tags: set[str] = set()
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [value or "" for name, value in attrs if name in ("href", "src", "background")]
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.text += data


def rendered(mail: Mail) -> tuple[Rendered, Page]:
    written = render(mail)
    return written, Page(written.html)


@pytest.mark.parametrize("mail", [*ORDINARY.values(), *WORST.values()], ids=[*ORDINARY, *WORST])
def test_every_mail_is_one_line_a_text_and_a_sound_page(mail: Mail) -> None:
    written, page = rendered(mail)
    assert "\n" not in written.subject
    assert 10 < len(written.subject) <= 120
    assert not page.open
    assert mail.reader.name in page.text and mail.reader.name in written.text
    assert "None" not in written.text
    assert "script" not in page.tags


@pytest.mark.parametrize("mail", ORDINARY.values(), ids=ORDINARY)
def test_nothing_is_left_unfilled(mail: Mail) -> None:
    written, page = rendered(mail)
    for text in (written.subject, written.text, page.text):
        assert "{" not in text and "}" not in text and "%(" not in text


@pytest.mark.parametrize("mail", WORST.values(), ids=WORST)
def test_what_people_typed_is_shown_and_never_run(mail: Mail) -> None:
    written, page = rendered(mail)
    assert mails.NASTY[:20] in page.text
    assert "<script>alert" not in written.html
    assert "49" not in page.text.replace("987 649", "")


@pytest.mark.parametrize("mail", [*ORDINARY.values(), *WORST.values()], ids=[*ORDINARY, *WORST])
def test_a_link_stands_once_and_nothing_comes_from_elsewhere(mail: Mail) -> None:
    written, page = rendered(mail)
    several = [one.link for one in (*getattr(mail, "asked", ()), *getattr(mail, "pages", ()))]
    links = several or [link for name in ("link", "page") if (link := getattr(mail, name, ""))]
    assert page.links == links
    for link in links:
        assert [line.strip() for line in written.text.splitlines()].count(link) == 1
        assert written.text.count(link) == written.html.count(link) == 1


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("template", ASKING)
def test_the_code_stands_once_and_apart_from_the_link(language: str, template: str) -> None:
    written, page = rendered(mails.every_mail(language, mails.question(language))[template])
    assert [line.strip() for line in written.text.splitlines()].count("123 456") == 1
    assert page.text.count("123 456") == 1
    assert mails.CODE not in written.text + written.html


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_part_of_a_question_is_said(language: str) -> None:
    asked = mails.question(language, details="Mehr dazu.")
    written, page = rendered(mails.every_mail(language, asked)["request"])
    due = {"de": "Dienstag, 24. November 2026, 14:05", "en": "Tuesday, 24 November 2026, 13:05 (London time)"}[language]
    parts = (asked.question, "Mehr dazu.", asked.stage_title, asked.gate_title, "Lea Brunner", "Beat Graf", "31. März",
             "Carla Rossi", "Marc Favre", "marc.favre@example.com", due)  # fmt: skip
    for part in parts:
        assert part in written.text and part in page.text


def test_a_missing_due_date_is_said() -> None:
    mail = mails.every_mail("de", mails.question("de", due_at=None))["request"]
    assert "Es ist kein Termin gesetzt." in render(mail).text


def test_a_measurement_tells_the_command() -> None:
    for language, value in (("de", "WERT"), ("en", "VALUE")):
        written, page = rendered(mails.every_mail(language, mails.by_purpose(language)["measure"])["request"])
        assert f"etappe measure r7k2m9 visits {value}" in written.text
        assert f"etappe measure r7k2m9 visits {value}" in page.text


def test_many_who_have_not_answered_are_not_all_listed() -> None:
    asked = mails.question("en", waiting_for=tuple(f"Person {n}" for n in range(40)))
    text = render(mails.every_mail("en", asked)["request"]).text
    assert "Person 7 and 32 more" in text and "Person 8" not in text


def test_a_receipt_says_what_was_recorded() -> None:
    text = render(mails.every_mail("de", mails.question("de"))["receipt"]).text
    assert "Ja, mit Auflagen" in text and "Gut überlegt." in text and "11. November 2026, 10:30" in text


def test_a_settled_gate_is_in_the_subject() -> None:
    assert render(mails.every_mail("de", mails.question("de"))["outcome"]).subject.startswith("Bestanden: Ja der")


def test_every_template_has_its_three_files_in_both_languages() -> None:
    for folder in TEMPLATES.iterdir():
        if folder.name != "shared":
            for language in LANGUAGES:
                names = {path.name for path in (folder / language).iterdir()}
                assert names == {"subject.txt", "body.txt", "body.html"}


def test_german_mails_are_spelled_the_swiss_way() -> None:
    for path in TEMPLATES.rglob("de/*"):
        assert "ß" not in path.read_text(encoding="utf-8")


def test_a_word_other_than_a_yes_reads_well() -> None:
    said = tuple(mails.said(kind) for kind in DecisionKind)
    text = render(mails.every_mail("de", mails.question("de", said=said))["request"]).text
    assert "Beat Graf: hat abgelehnt" in text and "Beat Graf: verlangt zuerst Änderungen" in text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("template", ["request", "reminder", "code"])
def test_the_owner_reads_who_asks_for_which_changes(language: str, template: str) -> None:
    written, page = rendered(mails.every_mail(language, mails.by_purpose(language)["respond"])[template])
    for part in ("Beat Graf", "Bitte mit Zahlen.", "Und Quellen.", "Carla Rossi", "Kürzer."):
        assert part in written.text and part in page.text
    for label in {"de": ("Bei Ja", "Bei Nein"), "en": ("On a yes", "On a no")}[language]:
        assert label not in written.text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("template", ["request", "reminder", "lapsed"])
def test_those_who_are_asked_again_read_what_has_changed(language: str, template: str) -> None:
    written, page = rendered(mails.every_mail(language, mails.question(language, changed=mails.answered()))[template])
    for part in ("Marc Favre", "Die Agentur ist günstiger geworden.", "Bitte mit Zahlen.", "Agentur: 18000.00",
                 "Film: 900.00", "Offerte.pdf (12.1 KB, 3f2a91c0)"):  # fmt: skip
        assert part in written.text and part in page.text


@pytest.mark.parametrize("language", LANGUAGES)
def test_attachments_are_links_of_their_own(language: str) -> None:
    mail = mails.every_mail(language, mails.question(language, attached=mails.ATTACHED))["request"]
    written, page = rendered(mail)
    assert set(page.links) == {mails.LINK, f"{mails.LINK}/files/7", "https://intranet.example.com/a?b=1&c=2"}
    assert "Offerte <2026>.pdf" in page.text and "12.1 KB" in page.text
    assert f"Offerte <2026>.pdf (12.1 KB): {mails.LINK}/files/7" in written.text
    assert "Übersicht: https://intranet.example.com/a?b=1&c=2" in written.text
