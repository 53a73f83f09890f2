"""Fetch a file that is attached to a rollout: by any link that was mailed for it, or by its name. Read only."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from domain.errors import UnknownAttachment
from models.database import Database
from models.evidence import Attachment, Blob, attachments_of
from operations.show_request import find_link


@dataclass(frozen=True)
class FoundFile:
    """A file: what it is called, its size in bytes, their SHA-256 in hex, and the bytes if they were asked for."""

    name: str
    size: int
    digest: str
    content: bytes


def fetch_attachment(db: Database, token: str, attachment_id: int, *, content: bool = True) -> FoundFile:
    """Return a file that is attached now. Raises LinkUnknown, LinkVoid, UnknownAttachment, also for others' files."""
    with db.read() as session:
        _, request, _, _ = find_link(session, token)
        found = session.get(Attachment, attachment_id)
        if found is None or found.rollout_id != request.rollout_id or found.removed_at or found.digest is None:
            raise UnknownAttachment()
        return _file(session, found, found.digest, content)


def fetch_attachment_called(db: Database, rollout_id: str, name: str) -> FoundFile:
    """Return the file that is attached under this name now. Raises UnknownAttachment, also for a link."""
    with db.read() as session:
        for found in session.scalars(attachments_of(rollout_id)):
            if found.name == name and found.digest is not None:
                return _file(session, found, found.digest, content=True)
    raise UnknownAttachment()


def _file(session: Session, found: Attachment, digest: str, content: bool) -> FoundFile:
    blob = session.get_one(Blob, digest)
    return FoundFile(found.name, found.size, digest, blob.content if content else b"")
