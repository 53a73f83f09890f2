"""The sentences of the pages that depend on a choice, a state or a reason, as msgids."""

from __future__ import annotations

from collections.abc import Mapping

from domain.states import GateState, Outcome
from models.requests import Purpose, VoidReason
from notifications.language import to_translate

CHOICE_HINTS: Mapping[str, str] = {
    "approve": to_translate("You agree to it as it is shown here."),
    "approve-with-conditions": to_translate("You agree if something is done: what, by whom and by when."),
    "reject": to_translate("You are against it. Please say why."),
    "request-changes": to_translate(
        "Neither yes nor no: say what has to change. The same link takes your answer later."
    ),
    "abstain": to_translate("You leave it to the others. Please say why."),
    "hold": to_translate("Not now: the stage waits until somebody takes it up again. Please say why."),
    "recycle": to_translate("Not like this: part of it is done again. Please say what has to be better."),
    "kill": to_translate("No, and for good: the rollout ends here. Please say why."),
}

GATE_CAME_TO: Mapping[GateState, str] = {
    GateState.WAITING: to_translate("This has not been asked yet."),
    GateState.OPEN: to_translate("Others are still being asked."),
    GateState.PASSED: to_translate("The gate has passed."),
    GateState.REJECTED: to_translate("The gate did not pass."),
    GateState.EXPIRED: to_translate("Time was up before it was decided."),
    GateState.WAIVED: to_translate("The gate was waived: an authorised person let it pass."),
    GateState.WITHDRAWN: to_translate("The question was withdrawn."),
}

FOLLOWS: Mapping[Outcome, str] = {
    Outcome.GO: to_translate("The rollout goes on."),
    Outcome.HOLD: to_translate("The stage is on hold until somebody takes it up again."),
    Outcome.RECYCLE: to_translate("The rollout goes back to an earlier stage."),
    Outcome.KILL: to_translate("The rollout ends here, for good."),
}

VOID_TITLES: Mapping[VoidReason, str] = {
    VoidReason.SETTLED: to_translate("This has been decided already"),
    VoidReason.EXPIRED: to_translate("Time was up"),
    VoidReason.REPLACED: to_translate("Somebody else is asked instead"),
    VoidReason.CANCELLED: to_translate("The rollout was called off"),
    VoidReason.WITHDRAWN: to_translate("The question was withdrawn"),
    VoidReason.RENEWED: to_translate("A newer mail holds the link that counts"),
    VoidReason.LAPSED: to_translate("A newer mail holds the link that counts"),
    VoidReason.REASSIGNED: to_translate("Somebody else is asked instead"),
    VoidReason.SPOKEN_FOR: to_translate("This voice has been heard already"),
    VoidReason.DELEGATION_OVER: to_translate("The delegation is over"),
    VoidReason.SEPARATED: to_translate("Other people must decide this"),
    VoidReason.NOT_NEEDED: to_translate("Your answer is no longer needed"),
    VoidReason.WAIVED: to_translate("The gate was waived"),
    VoidReason.SILENT: to_translate("Nobody objected in time"),
}

VOID_SENTENCES: Mapping[VoidReason, str] = {
    VoidReason.SETTLED: to_translate("Enough of the others have answered, so yours is no longer needed. Thank you."),
    VoidReason.EXPIRED: to_translate(
        "Nobody's silence counts as a yes: what the plan says for this case has happened."
    ),
    VoidReason.REPLACED: to_translate("There is nothing left for you to do here."),
    VoidReason.CANCELLED: to_translate("There is nothing left to decide here. What was said so far stays on record."),
    VoidReason.WITHDRAWN: to_translate(
        "The rollout has ended or has gone back to an earlier stage. If you are asked again, a new mail tells you."
    ),
    VoidReason.RENEWED: to_translate(
        "You were sent a newer mail with a new link and a new code: after five wrong codes, or because you are asked "
        "again. Please use that one."
    ),
    VoidReason.LAPSED: to_translate(
        "What you were asked about has changed. You were sent a new mail that says what, with the link that counts."
    ),
    VoidReason.REASSIGNED: to_translate(
        "Whoever looks after this stage has passed the question on. There is nothing left for you to do here."
    ),
    VoidReason.SPOKEN_FOR: to_translate(
        "Whoever lends a voice and whoever gives it are one voice, and the other one of you two has answered."
    ),
    VoidReason.DELEGATION_OVER: to_translate(
        "You could answer here for somebody else for a time. That time is over, or it was taken back."
    ),
    VoidReason.SEPARATED: to_translate(
        "You have answered at another gate, and the plan says that other people must decide this one."
    ),
    VoidReason.NOT_NEEDED: to_translate(
        "What is asked about has changed, and the plan no longer asks for your voice. There is nothing left to do here."
    ),
    VoidReason.WAIVED: to_translate(
        "An authorised person let this gate pass without your answer, and gave a reason, which stands in the record."
    ),
    VoidReason.SILENT: to_translate(
        "The plan takes silence as consent here, so the gate has passed. It is recorded as silence, "
        "not as your approval."
    ),
}

NO_CONSENT = to_translate("Silence would have counted as consent here, but it did not come to that.")

SPOKEN_YOURSELF = to_translate("One person is one voice, and yours was heard here already, when you answered before.")
"""For somebody who was asked for a second voice, beside the one that they have given."""

AWAY_TITLE = to_translate("I am away")
ENTERED_TITLE = to_translate("You are entered as away")

NO_LONGER_ASKED_FOR = to_translate(
    "Everybody who asked for changes has decided since; there is nothing left to answer."
)

DONE_BY_OTHERS = (
    to_translate("Somebody else has done this already"),
    to_translate("There is nothing left for you to do here."),
)

RECORDED_TITLES: Mapping[Purpose, str] = {
    Purpose.DECIDE: to_translate("Your answer is recorded"),
    Purpose.ANSWER: to_translate("The list is recorded"),
    Purpose.CONFIRM: to_translate("Your confirmation is recorded"),
    Purpose.MEASURE: to_translate("The value is recorded"),
    Purpose.RESPOND: to_translate("Your answer is recorded"),
}

BUTTONS: Mapping[Purpose, str] = {
    Purpose.DECIDE: to_translate("Record my answer"),
    Purpose.ANSWER: to_translate("Record the list"),
    Purpose.CONFIRM: to_translate("Record my confirmation"),
    Purpose.MEASURE: to_translate("Record the value"),
    Purpose.RESPOND: to_translate("Send the answer"),
}

UNKNOWN_TITLE = to_translate("This link leads nowhere")
UNKNOWN_SENTENCES: tuple[str, ...] = (
    to_translate("Mail programs sometimes cut a long link in two, and then only the first half is opened."),
    to_translate(
        "Please open the link from the mail again, or copy all of it, with its last character, into the address bar. "
        "If that does not help, answer the mail."
    ),
)

TEXT_LABELS: Mapping[str, str] = {
    "comment": to_translate("Reason"),
    "lessons": to_translate("What was learned"),
    "value": to_translate("Measured value"),
    "sample": to_translate("Number of observations"),
    "reply": to_translate("Your answer"),
    "link": to_translate("Link"),
}

REFUSALS: Mapping[int, tuple[str, str]] = {
    400: (
        to_translate("This request cannot be read"),
        to_translate("Nothing was recorded. Please open the link from the mail again."),
    ),
    404: (
        to_translate("There is nothing here"),
        to_translate("This address leads nowhere. If it came from a mail, please open the link in it again."),
    ),
    405: (
        to_translate("This address does not take that"),
        to_translate("It can be looked at; answers are sent with the form on its page."),
    ),
    413: (
        to_translate("That is too long"),
        to_translate(
            "At most 64 KB can be sent at once. Nothing was recorded. Please go back and write it shorter, "
            "with a link to the rest."
        ),
    ),
    500: (
        to_translate("Something went wrong on our side"),
        to_translate("It is not your fault. Please try again in a few minutes; an answer is only ever recorded once."),
    ),
}

FILE_TOO_LARGE = (
    to_translate("That file is too large"),
    to_translate(
        "A file may have at most 10 MB. Nothing was recorded. Please go back, and attach a link to the file instead."
    ),
)

NOT_ATTACHED = (
    to_translate("This file is no longer attached"),
    to_translate("It was taken off or replaced. The page behind your link shows what is attached now."),
)
