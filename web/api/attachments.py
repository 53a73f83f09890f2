"""What is attached to a rollout, by API: listed, fetched as downloads, put there as bytes or as links, taken off."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Any, BinaryIO, cast

from fastapi import APIRouter, Depends, Path, Request, Response
from pydantic import Field
from starlette.concurrency import run_in_threadpool

from operations.attach import NewFile, attach_file, attach_link
from operations.detach import detach
from operations.fetch_attachment import fetch_attachment_called
from operations.list_attachments import list_attachments
from web.api.bodies import LinkBody
from web.api.caller import Me, SeenRollout, TakesJson
from web.api.facts import Facts
from web.files import as_download

router = APIRouter(prefix="/rollouts/{rollout_id}/attachments", tags=["attachments"])
BYTES = "application/octet-stream"
_IN_MEMORY = 1024 * 1024
_ANY_BYTES = {"content": {BYTES: {"schema": {"type": "string", "format": "binary"}}}}

Name = Annotated[str, Path(max_length=200, description="What it is called in the rollout")]


class AttachmentFacts(Facts):
    """A file, or a link, that belongs to what a rollout is about."""

    id: int
    name: str
    size: int = Field(description="In bytes; 0 for a link")
    digest: str | None = Field(description="The SHA-256 of a file's bytes, in hex")
    url: str | None
    added_by: str
    added_at: datetime


async def _received(me: Me, rollout_id: SeenRollout, request: Request) -> AsyncIterator[BinaryIO]:
    """Receive the bytes of a file, once it is known who sends them; what is too large is refused as it comes in."""
    with tempfile.SpooledTemporaryFile(_IN_MEMORY) as file:
        async for part in request.stream():
            await run_in_threadpool(file.write, part)
        yield cast("BinaryIO", file)


Received = Annotated[BinaryIO, Depends(_received)]


@router.get("", response_model=list[AttachmentFacts])
def list_(me: Me, rollout_id: SeenRollout) -> Any:
    """List what is attached to a rollout now, by name."""
    return list_attachments(me.db, rollout_id)


@router.post("", response_model=list[AttachmentFacts], dependencies=[TakesJson])
def link(me: Me, rollout_id: SeenRollout, body: LinkBody) -> Any:
    """Attach a link; one of the same name takes the place of the older one."""
    attach_link(me.db, me.keys, rollout_id, body.url, me.actor, me.now, name=body.name)
    return list_attachments(me.db, rollout_id)


@router.put("/{name}", response_model=list[AttachmentFacts], openapi_extra={"requestBody": _ANY_BYTES})
def put(me: Me, rollout_id: SeenRollout, name: Name, file: Received) -> Any:
    """Attach a file of at most 10 MB; one of the same name takes the place of the older one."""
    attach_file(me.db, me.keys, rollout_id, NewFile(name, file), me.actor, me.now)
    return list_attachments(me.db, rollout_id)


@router.get("/{name}", response_class=Response, responses={200: _ANY_BYTES})
def fetch(me: Me, rollout_id: SeenRollout, name: Name, request: Request) -> Response:
    """Fetch a file that is attached now; of a link, there is none."""
    found = fetch_attachment_called(me.db, rollout_id, name)
    return as_download(found, request.headers.get("if-none-match", ""))


@router.delete("/{name}", response_model=list[AttachmentFacts])
def remove(me: Me, rollout_id: SeenRollout, name: Name) -> Any:
    """Take an attachment off. Approvals that were given for it lapse."""
    detach(me.db, me.keys, rollout_id, name, me.actor, me.now)
    return list_attachments(me.db, rollout_id)
