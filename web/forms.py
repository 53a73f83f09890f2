"""What a browser posts: read strictly, and refused with one sentence for each thing that is wrong with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator, Collection, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO

from fastapi import Request
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException

from domain.reasons import Reason

FORM_TYPES = frozenset({"application/x-www-form-urlencoded", "multipart/form-data"})
MOST_FIELDS = 200


@dataclass(frozen=True)
class Upload:
    """A file that somebody chose: the field it came in, what it is called on their machine, and its bytes."""

    field: str
    name: str
    content: BinaryIO


@dataclass(frozen=True)
class Posted:
    """A form as it came: `typed` by field name, the files that were chosen, and all that is wrong with its shape."""

    typed: Mapping[str, str] = field(default_factory=dict)
    repeated: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    uploads: tuple[Upload, ...] = ()
    is_form: bool = True

    def problems(self, known: Collection[str], needed: Collection[str]) -> list[Reason]:
        """Return a sentence for each field that is not `known`, is there twice, or is `needed` and missing."""
        if not self.is_form:
            return [Reason("This address takes the form of its page and nothing else.")]
        found = [Reason("The form has no field “{field}”.", {"field": name[:60]}) for name in self._foreign(known)]
        found += [Reason("The field “{field}” was sent more than once.", {"field": name}) for name in self.repeated]
        found += [
            Reason("The field “{field}” is missing; please open the link from the mail again.", {"field": name})
            for name in needed
            if name not in self.typed
        ]
        return found

    def _foreign(self, known: Collection[str]) -> list[str]:
        return [name for name in dict.fromkeys((*self.typed, *self.files)) if name not in known]


async def posted(request: Request) -> AsyncGenerator[Posted, None]:
    """Read the form of a request; FastAPI calls this before the endpoint. Only reading the body needs `async`.

    Files lie in temporary files (above 1 MB on the disk) until the endpoint has answered.
    """
    form = await _form(request)
    if form is None:
        yield Posted(is_form=False)
        return
    try:
        yield _read(form)
    finally:
        await form.close()


async def _form(request: Request) -> FormData | None:
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type not in FORM_TYPES:
        return None
    try:
        return await request.form(max_files=1, max_fields=MOST_FIELDS)
    except HTTPException as refusal:
        if refusal.status_code != 400:
            raise
        return None


def _read(form: FormData) -> Posted:
    pairs = form.multi_items()
    typed = {name: _one_kind_of_line_break(value) for name, value in reversed(pairs) if isinstance(value, str)}
    chosen = [(name, value) for name, value in pairs if isinstance(value, UploadFile)]
    repeated = tuple(name for name, times in Counter(name for name, _ in pairs).items() if times > 1)
    uploads = tuple(Upload(name, value.filename, value.file) for name, value in chosen if value.filename)
    return Posted(dict(reversed(typed.items())), repeated, tuple(name for name, _ in chosen), uploads)


def _one_kind_of_line_break(text: str) -> str:
    return text.replace("\r\n", "\n")
