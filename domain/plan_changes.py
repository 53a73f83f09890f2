"""In which words it is said that a key of a plan has changed, and whom that concerns.

Every key of a gate but its id is in one of the first three tables, every key of a stage but its gates in the last one.
"""

from __future__ import annotations

from collections.abc import Mapping

from domain.reasons import Reason

_TARGET = Reason("the target has changed")
_VOICES = Reason("it takes another number of voices now")
_PEOPLE = Reason("other people decide it now")
_KEPT_FROM = Reason("other people are kept from deciding it now")
_BANDS = Reason("the bands have changed")
_TIMES = Reason("the times at which it passes have changed")
_SYSTEM = Reason("another system is asked now")
_STARTS = Reason("what it starts has changed")
_CONSEQUENCE = Reason("what a no leads to has changed")
_BRINGS = Reason("who brings what is decided about has changed")
_DEADLINES = Reason("its deadlines have changed")
_RULES = Reason("its further rules have changed")
_TITLE = Reason("its title has changed")

CONCERNS_ANSWERS: Mapping[str, Reason] = {
    "kind": Reason("it is a gate of another kind now"),
    "question": Reason("the question was reworded"),
    "text": Reason("the text was reworded"),
    "details": Reason("the details were reworded"),
    "items": Reason("the list to fill in has changed"),
    "input": Reason("it is about another budget now"),
    "metric": _TARGET,
    "at_least": _TARGET,
    "at_most": _TARGET,
    "unit": _TARGET,
    "minimum_sample": _TARGET,
    "maximum_age": _TARGET,
    "holds_for": _TARGET,
    "approvers": _PEOPLE,
    "audience": _PEOPLE,
    "quorum": _VOICES,
    "share": _VOICES,
    "exclude": _KEPT_FROM,
    "different_people_than": _KEPT_FROM,
    "same_person_as": _KEPT_FROM,
    "delegates": Reason("it has changed whether somebody may decide it for somebody else"),
    "bands": _BANDS,
    "bands_on": _BANDS,
    "binding": Reason("it has changed whether a no stops the stage"),
    "pinned_to": Reason("it has changed what makes an approval lapse"),
    "dates": _TIMES,
    "weekdays": _TIMES,
    "hours": _TIMES,
    "business_days": _TIMES,
    "freezes": _TIMES,
    "signed_with": _SYSTEM,
    "asks": _SYSTEM,
    "deployment": _STARTS,
    "parameters": _STARTS,
}
"""What an answer was given for, who may give it, and how answers are counted: asked again, also when it has passed."""

CONCERNS_THOSE_ASKED: Mapping[str, Reason] = {
    "on_reject": _CONSEQUENCE,
    "recycle_to": _CONSEQUENCE,
    "choices": _CONSEQUENCE,
    "silence_is_consent": Reason("what silence means has changed"),
    "order": Reason("the order of asking has changed"),
    "lessons": Reason("it has changed whether lessons learned are asked for"),
    "filled_by": _BRINGS,
    "measured_by": _BRINGS,
    "queried": _BRINGS,
}
"""What follows from an answer, and how it is asked for: of no matter once a gate has passed."""

CONCERNS_NO_ANSWER: Mapping[str, Reason] = {
    "title": _TITLE,
    "remind": _DEADLINES,
    "escalate": _DEADLINES,
    "expires": _DEADLINES,
    "ask_after": _RULES,
    "waiver": _RULES,
    "urgent": _RULES,
    "conditions_in": _RULES,
    "renew": _RULES,
    "invite_comment": _RULES,
    "every": _RULES,
    "timeout_seconds": _RULES,
    "tries": _RULES,
}
"""What a gate is called, by when it is decided, and what comes after: whatever was answered stays valid."""

OF_STAGES: Mapping[str, Reason] = {
    "needs": Reason("other stages come before it now"),
    "exclusive": Reason("it uses another resource now"),
    "title": _TITLE,
    "stalled_after": _DEADLINES,
    "remind": _DEADLINES,
    "escalate": _DEADLINES,
    "expires": _DEADLINES,
    "owner": _RULES,
    "chat": _RULES,
    "description": _RULES,
}
