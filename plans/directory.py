"""Reading a directory file: the people of a company, the roles they hold, and when the company is closed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator

from domain.absence import why_no_calendar
from domain.deadlines import check_calendar
from domain.eligibility import normalise_address
from domain.errors import InvalidDirectory, InvalidInput
from domain.mail_times import Quiet, parse_clock
from domain.nearest import suggestion
from domain.plan import BUILT_IN_ROLES, Calendar, Closures, Language, Slug
from domain.typed_text import clean_line
from plans import sentences, yaml_source
from plans.yaml_source import Path

_LONGEST_NAME = 100
_LONGEST_CHAT = 500


def _address(text: str) -> str:
    try:
        return normalise_address(text)
    except InvalidInput as reason:
        raise ValueError(_within(reason.sentence)) from None


def _name(text: str) -> str:
    return _line(text, _LONGEST_NAME, "the name is empty; write what the person is called")


def _calendar(address: str) -> str:
    if reason := why_no_calendar(address):
        raise ValueError(_within(str(reason)))
    return address


def _chat(text: str) -> str:
    """A name, or an address; whether the installation has it, and apprise knows it, the doctor says."""
    return _line(text, _LONGEST_CHAT, "the chat is empty; write a name in ETAPPE_CHAT_URLS, or leave it out")


def _line(text: str, longest: int, when_empty: str) -> str:
    try:
        line = clean_line(text, longest)
    except InvalidInput as reason:
        raise ValueError(_within(reason.sentence)) from None
    if not line:
        raise ValueError(when_empty)
    return line


def _within(sentence: str) -> str:
    return f"{sentence[:1].lower()}{sentence[1:]}".removesuffix(".")


def _quiet(text: str) -> str:
    if text != NO_QUIET:
        Quiet.parse(text)
    return text


def _clock(text: str) -> str:
    parse_clock(text)
    return text


Address = Annotated[str, AfterValidator(_address)]
QuietHours = Annotated[str, AfterValidator(_quiet)]
Clock = Annotated[str, AfterValidator(_clock)]
NO_QUIET = "none"
"""What somebody's `quiet` says who keeps none of the hours that everybody else does."""


class PersonEntry(BaseModel):
    """A person as the directory names them."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    email: Address
    name: Annotated[str, AfterValidator(_name)]
    language: Language = "en"
    time_zone: str = Calendar().time_zone
    holidays: Annotated[str, Field(max_length=60)] | None = None
    assistant: Address | None = None
    quiet: QuietHours | None = None
    morning: Clock | None = None
    calendar: Annotated[str, AfterValidator(_calendar)] | None = None
    chat: Annotated[str, AfterValidator(_chat)] | None = Field(default=None, repr=False)  # an address is a secret


class Directory(BaseModel):
    """Everybody in a directory file, for each role the addresses of those who hold it, and the days without work.

    `quiet` and `morning` count for everybody who has none of their own.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    quiet: QuietHours | None = None
    morning: Clock | None = None
    people: list[PersonEntry] = Field(min_length=1)
    roles: dict[Slug, list[Address]] = {}
    closures: Closures = ()

    @field_validator("roles", mode="after")
    @classmethod
    def _no_built_in_roles(cls, roles: dict[str, list[str]]) -> dict[str, list[str]]:
        if taken := BUILT_IN_ROLES & roles.keys():
            raise ValueError(f"every rollout has its own {' and '.join(sorted(taken))}; a directory cannot name them")
        return roles

    def quiet_of(self, person: PersonEntry) -> str | None:
        """Return a person's quiet hours, None where there are none."""
        hours = person.quiet or self.quiet
        return None if hours == NO_QUIET else hours

    def morning_of(self, person: PersonEntry) -> str | None:
        """Return when a person's morning is, None where nothing says it."""
        return person.morning or self.morning


def read_directory(text: str | bytes, source: str) -> Directory:
    """Read a directory. `source` names the file in the errors. Raises InvalidDirectory with every problem by line."""
    document = yaml_source.read(text)
    directory = _shaped(document) if document.complete else None
    for path, sentence in _check(directory) if directory else ():
        document.report(path, sentence)
    if directory is None or document.found:
        raise InvalidDirectory(source, document.problems)
    return directory


def _shaped(document: yaml_source.Document) -> Directory | None:
    try:
        return Directory.model_validate(document.data)
    except ValidationError as error:
        sentences.report(document, error, Directory)
        return None


def _check(directory: Directory) -> Iterator[tuple[Path, str]]:
    known = {person.email for person in directory.people}
    yield from _twice(directory)
    for p, person in enumerate(directory.people):
        yield from ((("people", p, key), sentence) for key, sentence in _person(person, known))
    for role, members in directory.roles.items():
        for m, member in enumerate(members):
            if member not in known:
                yield ("roles", role, m), f"“{member}” is not among the people of this file{_nearest(member, known)}"
            elif member in members[:m]:
                yield ("roles", role, m), f"“{member}” is named twice in this role; keep one"


def _twice(directory: Directory) -> Iterator[tuple[Path, str]]:
    seen: set[str] = set()
    for p, person in enumerate(directory.people):
        if person.email in seen:
            yield ("people", p, "email"), f"“{person.email}” is in this file twice; keep one"
        seen.add(person.email)


def _person(person: PersonEntry, known: set[str]) -> Iterator[tuple[str, str]]:
    for sentence in check_calendar(Calendar(time_zone=person.time_zone)):
        yield "time_zone", _within(sentence)
    for sentence in check_calendar(Calendar(holidays=person.holidays)):
        yield "holidays", _within(sentence)
    if person.assistant == person.email:
        yield "assistant", "nobody is their own assistant; name somebody else, or leave it out"
    elif person.assistant and person.assistant not in known:
        nearest = _nearest(person.assistant, known)
        yield "assistant", f"“{person.assistant}” is not among the people of this file{nearest}"


def _nearest(address: str, known: set[str]) -> str:
    guess = suggestion(address, known, likeness=0.85)  # addresses of one domain are alike anyway
    return guess if guess.startswith("; did") else "; add them under “people”"
