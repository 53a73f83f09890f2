"""Why a rollout does not go on, as text: what is explained, one below the other, each with what one could do."""

from __future__ import annotations

from collections.abc import Iterator

from domain.explanation import Explanation, RolloutShown, split_command
from notifications.language import Words


def lines(shown: RolloutShown) -> Iterator[str]:
    """Write down what explain_rollout found, in English and in the plan's time zone."""
    words = Words("en", shown.time_zone)
    yield f"{shown.title}  ({shown.id})"
    yield f"{shown.state} · owner {shown.owner_name} <{shown.owner_email}>"
    for one in shown.explanations:
        yield ""
        yield from _explanation(one, words)
    if not shown.explanations:
        yield ""
        yield "Nothing stands in its way."


def _explanation(one: Explanation, words: Words) -> Iterator[str]:
    yield f"{one.title}  ({one.about} {one.id})"
    for sentence in one.sentences:
        said = words.say(sentence)
        yield f"  {said[:1].upper()}{said[1:]}"
    for way in one.ways_out:
        what, command = split_command(words.say(way))
        yield f"  {what}:"
        yield f"    {command}"
