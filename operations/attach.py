"""Attach a file or a link to a rollout; one of the same name takes the place of the older one."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, BinaryIO

from domain import attachments
from domain.authority import why_may_not_look_after
from domain.errors import NotAllowed, RolloutEnded
from domain.states import ENDED
from models.base import insert_once
from models.database import Database
from models.evidence import Attachment, Blob, attachments_of
from operations.lapsing import lapse_what_changed
from operations.progress import progress
from operations.workspace import Actor, Workspace, locked


@dataclass(frozen=True)
class NewFile:
    """A file as it came: what it is called, and a stream of its bytes that can be read from the beginning again."""

    name: str
    content: BinaryIO


def attach_file(
    db: Database, keys: Sequence[bytes], rollout_id: str, file: NewFile, actor: Actor, now: datetime
) -> str:
    """Attach a file, and return what it is called. The same file of the same name again changes nothing.

    Raises UnknownRollout, NotAllowed for a stranger, RolloutEnded, and InvalidInput for a name or a size that cannot be
    or one attachment too many.
    """
    with locked(db, keys, rollout_id, now, actor) as ws:
        refuse_strangers(ws)
        name = add_file(ws, file)
        _follow(ws)
        return name


def attach_link(
    db: Database, keys: Sequence[bytes], rollout_id: str, address: str, actor: Actor, now: datetime, *, name: str = ""
) -> str:
    """Attach an https address, and return what it is called: `name`, or its last part. Raises as attach_file does."""
    with locked(db, keys, rollout_id, now, actor) as ws:
        refuse_strangers(ws)
        called = add_link(ws, address, name)
        _follow(ws)
        return called


def refuse_strangers(ws: Workspace) -> None:
    """Raise NotAllowed unless the actor looks after the rollout or any stage of it, RolloutEnded once it is over."""
    owners = {person for stage in ws.plan.stages for person in ws.directory.resolve(stage.owner)}
    caretakers = replace(ws.caretakers(), stage_owners=frozenset(owners))
    if why := why_may_not_look_after(ws.actor.address, caretakers):
        raise NotAllowed(why)
    if ws.rollout.state in ENDED:
        raise RolloutEnded(f"The rollout is {ws.rollout.state}; what is attached to it can no longer be changed.")


def add_file(ws: Workspace, file: NewFile) -> str:
    """Attach a file under the rollout's lock, and return what it is called; lapsing is left to the caller."""
    name = attachments.clean_name(file.name)
    size = file.content.seek(0, os.SEEK_END)
    attachments.refuse_size(name, size)
    file.content.seek(0)
    digest = hashlib.file_digest(file.content, "sha256").hexdigest()  # type: ignore[arg-type]  # any binary stream does
    _put(ws, Attachment(name=name, digest=digest, size=size), file.content)
    return name


def add_link(ws: Workspace, address: str, name: str = "") -> str:
    """Attach a link under the rollout's lock, and return what it is called; lapsing is left to the caller."""
    url = attachments.clean_address(address)
    current = attached(ws)
    known = [one.name for one in current.values() if one.url == url]
    called = attachments.clean_name(name) if name.strip() else known[0] if known else attachments.name_of(url, current)
    _put(ws, Attachment(name=called, url=url, size=0))
    return called


def attached(ws: Workspace) -> dict[str, Attachment]:
    """Return what is attached now, by name."""
    return {one.name: one for one in ws.read(attachments_of, ws.rollout.id)}


def facts_of(one: Attachment) -> dict[str, Any]:
    """Return what the record says of an attachment."""
    return {"name": one.name, **({"url": one.url} if one.url else {"digest": one.digest, "size": one.size})}


def _put(ws: Workspace, fresh: Attachment, content: BinaryIO | None = None) -> None:
    current = attached(ws)
    older = current.get(fresh.name)
    if older is not None and (older.digest, older.url) == (fresh.digest, fresh.url):
        return
    attachments.refuse_one_more(current.keys(), fresh.name)
    facts = facts_of(fresh)
    if older is not None:
        older.removed_at = ws.now
        facts["replaces"] = facts_of(older)
    if content is not None:
        _keep(ws, fresh, content)
    fresh.rollout_id, fresh.added_by, fresh.added_at = ws.rollout.id, ws.actor.address, ws.now
    ws.session.add(fresh)
    ws.session.flush()
    ws.note("attachment.added", facts=facts)


def _keep(ws: Workspace, fresh: Attachment, content: BinaryIO) -> None:
    """The same bytes are kept once, and are not read into memory when they are kept already."""
    if ws.session.get(Blob, fresh.digest) is None:
        content.seek(0)
        insert_once(ws.session, Blob, digest=fresh.digest, content=content.read())


def _follow(ws: Workspace) -> None:
    lapse_what_changed(ws)
    progress(ws)
