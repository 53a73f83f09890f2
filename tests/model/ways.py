"""What `etappe rollout explain` offers, taken at its word: the verb behind each command, as a shell would call it."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping

from domain.explanation import split_command
from domain.reasons import Reason
from domain.states import ENDED, GateState
from notifications.language import Words
from operations.answer_changes import Answer, answer_changes
from operations.escalate_gate import escalate_gate
from operations.explain_rollout import describe_explanation, explain_rollout
from operations.record_measurement import record_measurement
from operations.workspace import Actor
from tests.company import KEYS, Company

OPERATOR = Actor("operator", "command")


def everything_is_explained(company: Company, rollout_id: str) -> list[Reason]:
    """Judge that whatever is open has its explanation, and that it can be said; returns the ways out of it all."""
    shown = explain_rollout(company.db, rollout_id, company.now)
    describe_explanation(shown)
    words = Words("de", shown.time_zone)
    for one in shown.explanations:
        assert one.missing, f"nothing is said of {one.about} {one.id}"
        assert all(words.say(reason) for reason in (*one.sentences, *one.ways_out))
    gates = [gate for stage in shown.stages for gate in stage.gates]
    silent = [gate.id for gate in gates if gate.state is GateState.OPEN and gate.explanation is None]
    assert not silent, f"no word of {silent}"
    assert shown.explanations or shown.state not in ENDED, "no word of how it ended"
    return [way for one in shown.explanations for way in one.ways_out]


def take(company: Company, way: Reason) -> None:
    """Do what a way out says; raises what the verb refuses."""
    command = shlex.split(split_command(str(way))[1])
    group, rest = command[1], command[2:]
    if group == "measure":
        record_measurement(company.db, KEYS, rest[0], rest[1], "80", OPERATOR, company.now,
                           sample="5" if "--sample" in rest else "")  # fmt: skip
        return
    verb, (company.rollout_id, *words) = rest[0], rest[1:]
    keys = [word for word in words[:1] if not word.startswith("--")]
    options = dict(zip(words[len(keys) :: 2], words[len(keys) + 1 :: 2], strict=True))
    _VERBS[verb](company, keys[0] if keys else "", options)


def _respond(company: Company, key: str, options: Mapping[str, str]) -> None:
    actor = Actor(options["--by"], "command")
    answer_changes(company.db, KEYS, company.rollout_id, key, Answer(options["--reply"]), actor, company.now)


def _escalate(company: Company, key: str, options: Mapping[str, str]) -> None:
    escalate_gate(company.db, KEYS, company.rollout_id, key, options["--reason"], OPERATOR, company.now)


def _reassign(company: Company, key: str, options: Mapping[str, str]) -> None:
    if options["--to"] != "EMAIL":
        company.reassigns(options["--from"], options["--to"], OPERATOR.address, key)


_VERBS: Mapping[str, Callable[[Company, str, Mapping[str, str]], None]] = {
    "respond": _respond,
    "escalate": _escalate,
    "reassign": _reassign,
    "waive": lambda company, key, options: company.waives(options["--by"], key),
    "resume": lambda company, key, options: company.resumes(),
    "cancel": lambda company, key, options: company.cancels(),
    "explain": lambda company, key, options: None,
}
