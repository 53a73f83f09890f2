"""The form of whoever answers a request for changes: a reply, the inputs as they are, and attachments."""

from __future__ import annotations

from collections.abc import Mapping

from notifications.facts import Question
from operations.answer_changes import Answer, answer_changes_by_link
from operations.attach import NewFile
from operations.show_request import RequestPage
from web.deed import Deed, Shown

INPUT = "input-"
"""Before the names of the inputs' fields, so that no input can be called like a field of ours."""
REMOVE = "remove-"
"""Before the numbers of attachments that are to be taken off."""
FILE = "file"


def fields(question: Question) -> tuple[str, ...]:
    """Return the names of the form's fields, in the order in which the page shows them."""
    return (
        "reply",
        *(f"{INPUT}{one.name}" for one in question.to_change),
        *(f"{REMOVE}{one.id}" for one in question.attached),
        FILE,
        "link",
    )


def typed_before(question: Question) -> dict[str, str]:
    """Return what the fields hold at first: the inputs as they are."""
    return {f"{INPUT}{one.name}": one.value for one in question.to_change}


def record(deed: Deed, shown: Shown, typed: Mapping[str, str]) -> RequestPage:
    """Record an answer; the page as it is then is returned. Raises what answer_changes_by_link raises."""
    names = {f"{REMOVE}{one.id}": one.name for one in shown().question.attached}
    answer = Answer(
        reply=typed.get("reply", ""),
        inputs={name.removeprefix(INPUT): text for name, text in typed.items() if name.startswith(INPUT)},
        removed=[names[name] for name in typed if name in names],
        files=[NewFile(upload.name, upload.content) for upload in deed.uploads],
        links=[typed["link"]] if typed.get("link", "").strip() else [],
    )
    return answer_changes_by_link(
        deed.database, deed.keys, deed.token, answer, typed["code"], typed["digest"], deed.now
    )
