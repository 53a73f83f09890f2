"""What somebody is asked, as lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cli.printing import moment
from domain.attachments import size_in_words


def lines(asked: Mapping[str, Any]) -> Iterator[str]:
    """Write down what describe_request found."""
    behalf = f" on behalf of {asked['on_behalf_of']}" if asked["on_behalf_of"] else ""
    yield f"{asked['gate_title']}  ({asked['rollout']}/{asked['gate']}, round {asked['round']}){behalf}"
    yield f"{asked['rollout_title']} · {asked['stage_title']}"
    yield ""
    yield asked["question"]
    yield from _titled("", [asked["details"]])
    yield from _titled("It is about:", list(_evidence(asked)))
    yield from _titled("Changes are asked for:", [_wish(wish) for wish in asked["wishes"]])
    if asked["changed"]:
        yield from _titled("What has changed:", list(_changed(asked["changed"])))
    yield from _titled("Said so far:", [_word(word) for word in asked["said"]])
    yield ""
    yield from (asked[name] for name in ("why", "on_yes", "on_no", "on_silence") if asked[name])
    if asked["due_at"]:
        yield f"Due: {moment(asked['due_at'])}"
    yield from _standing(asked)


def _standing(asked: Mapping[str, Any]) -> Iterator[str]:
    if asked["mine"]:
        yield f"Recorded: {_word(asked['mine'])}"
    if asked["settlement"]:
        settled = asked["settlement"]
        yield f"The gate is {settled['state']}: {settled['outcome']}, {moment(settled['at'])}; {settled['because']}"
    elif asked["state"] == "open" and asked["choices"]:
        yield f"To choose from: {', '.join(asked['choices'])}"


def _evidence(asked: Mapping[str, Any]) -> Iterator[str]:
    for line in asked["budget"]:
        yield f"{line['item']}: {line['amount']} {asked['currency']}".rstrip()
    if asked["budget_total"] is not None:
        yield f"Total: {asked['budget_total']} {asked['currency']}".rstrip()
    for filled in (*asked["inputs"], *asked["filled"]):
        yield f"{filled['title']}: {filled['value']}"
    for one in asked["attachments"]:
        yield f"attached: {one['name']} ({one['url'] or size_in_words(one['size'])})"
    for item in asked["items"] if asked["purpose"] == "answer" else ():
        yield f"{item['id']}: {item['title']}"
    if asked["target"]:
        yield f"{asked['metric']}: {asked['target']}"


def _wish(wish: Mapping[str, Any]) -> str:
    return f"{wish['name']}, {moment(wish['at'])}: “{' '.join(wish['comment'].split())}”"


def _changed(changed: Mapping[str, Any]) -> Iterator[str]:
    yield _wish({"name": changed["name"], "at": changed["at"], "comment": changed["reply"]})
    for shift in changed["changes"]:
        before, after = ("; ".join(shift[side].splitlines()) or "nothing" for side in ("before", "after"))
        yield f"{shift['label'] or 'attachment'}: {before} → {after}"


def _word(word: Mapping[str, Any]) -> str:
    said = word["choice"] or word["decision"]
    comment = f": “{' '.join(word['comment'].split())}”" if word["comment"] else ""
    return f"{word['name']} {said}, {moment(word['decided_at'])}{comment}"


def _titled(title: str, texts: list[str]) -> Iterator[str]:
    told = [text for text in texts if text]
    if told:
        yield ""
        yield from ([title] if title else [])
        yield from (f"  {line}" if title else line for text in told for line in text.splitlines())
