"""The bundled plan that introduces social media, in a company that follows it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import plans
from models.requests import Purpose, RequestState
from operations.record_answers import record_answers
from tests.company import KEYS, Company

FOLDER = Path(plans.__file__).parent
PLAN = (FOLDER / "social-media-introduction.yaml").read_text("utf-8")
PEOPLE = (FOLDER / "people" / "sample.yaml").read_text("utf-8")
LEAD = "lea.brunner@example.com"
BOARD = ("anna.keller@example.com", "carla.rossi@example.com", "david.meier@example.com")
CHAIR, SPONSOR, HR = "helena.vogt@example.com", "ruth.ammann@example.com", "nina.graf@example.com"
FINANCE, FINANCE_HEAD = "marco.huber@example.com", "sofia.lang@example.com"
JAMES, PRIYA, BEN = "james.wright@example.com", "priya.nair@example.com", "ben.frei@example.com"
ADVISER = "oliver.berg@example.org"
STAFFING = {
    "team": "Lea Brunner\nPriya Nair",
    "hours": "Lea Brunner: 8\nPriya Nair: 4",
    "aptitude": "Both write well and like to.",
    "training": "yes",
}
ORGANISATION = {
    "responsible": "Lea Brunner",
    "team": "Lea Brunner\nPriya Nair",
    "meetings-per-month": "4",
    "meeting-place": "Tuesdays at nine, room 12",
    "continuity": "Each has a deputy.",
}


class Introduction(Company):
    """A company that introduces social media, and the steps that lead to each factor."""

    def begin(self, **start: Any) -> None:
        self.start(PLAN, **{"requester": LEAD, "budget": {"Monitoring": "12000", "Campaign": "13000"}, **start})

    def decide_at(self, gate: str, person: str, decision: str = "approve", **words: Any) -> None:
        """Let a person decide one of the several things they are asked."""
        [request] = [
            request
            for request in self.requests(person, RequestState.OPEN)
            if request.purpose in (Purpose.DECIDE, Purpose.CONFIRM) and self.page(request).question.gate_key == gate
        ]
        self.decides(person, decision, request=request, **words)

    def fill_in(self, gate: str, fields: dict[str, str]) -> None:
        """Let the project lead fill in one of the lists."""
        [request] = [
            request
            for request in self.requests(LEAD, RequestState.OPEN)
            if request.purpose is Purpose.ANSWER and self.page(request).question.gate_key == gate
        ]
        digest = self.page(request).digest
        record_answers(self.db, KEYS, self.token(request), fields, self.code(request), digest, self.now)

    def commit(self) -> None:
        for person in BOARD:
            self.decide_at("executive-sign-off", person)

    def conceive(self) -> None:
        self.commit()
        self.decide_at("concept-review", JAMES)
        self.decide_at("concept-review", HR)

    def staff(self) -> None:
        self.fill_in("staffing-list", STAFFING)
        self.decide_at("staffing-list", HR)

    def fund(self) -> None:
        self.decide_at("budget-approval", FINANCE)

    def organise(self) -> None:
        self.fill_in("organisation-list", ORGANISATION)
        self.decide_at("organisation-list", SPONSOR)

    def advise(self) -> None:
        self.decide_at("adviser-review", ADVISER)

    def target(self) -> None:
        self.decide_at("targets-approval", SPONSOR)
        self.decide_at("targets-approval", PRIYA)

    def announce(self) -> None:
        for person in (BEN, JAMES, FINANCE, HR):
            self.decide_at("announcement-read", person)

    def pilot(self) -> None:
        self.measures("pilot-satisfaction", "82", "25")
        for person in (JAMES, HR):
            self.decide_at("pilot-review", person, lessons="Answer faster.")

    def prepare(self) -> None:
        for step in (self.conceive, self.staff, self.fund, self.organise, self.advise, self.target, self.announce):
            step()

    def wave_one(self) -> None:
        self.measures("hours-to-answer", "20", "40")
        self.decide_at("wave-one-review", JAMES, lessons="One voice.")
        self.decide_at("wave-one-review", SPONSOR, lessons="Keep going.")

    def wave_two(self) -> None:
        self.measures("engagement-rate", "3.5", "900")
        self.decide_at("wave-two-review", PRIYA, lessons="Short films.")
        self.decide_at("wave-two-review", SPONSOR, lessons="Worth it.")

    def wave_three(self) -> None:
        self.decide_at("wave-three-review", SPONSOR, lessons="It is everyday work.")
        self.decide_at("wave-three-review", BOARD[0], lessons="Well done.")


def open_stages(company: Company) -> set[str]:
    return {stage for stage, state in company.stage_states().items() if state == "open"}
