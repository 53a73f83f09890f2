"""The plans that the walk goes through: between them, they hold every rule of a gate that people and time can reach."""

from __future__ import annotations

import random

PEOPLE = """
people:
  - {email: lea@example.com, name: Lea Brunner, language: de}
  - {email: anna@example.com, name: Anna Keller, language: de, assistant: fritz@example.com}
  - {email: ben@example.com, name: Ben Frei, language: en}
  - {email: carla@example.com, name: Carla Rossi, language: en}
  - {email: dora@example.com, name: Dora Meier, language: de}
  - {email: emil@example.com, name: Emil Vogt, language: de}
  - {email: fritz@example.com, name: Fritz Haas, language: en}
  - {email: gina@example.com, name: Gina Lutz, language: en}
roles:
  board: [anna@example.com, ben@example.com, carla@example.com]
  finance: [dora@example.com, lea@example.com]
  finance-head: [emil@example.com]
  chair: [emil@example.com, anna@example.com]
  staff: [ben@example.com, carla@example.com, dora@example.com, emil@example.com]
  administrator: [gina@example.com]
"""

_HEAD = """
title: A plan
calendar: {holidays: CH-ZH, time_zone: Europe/Zurich}
roles:
  board: {title: Board}
  finance: {title: Finance}
  finance-head: {title: Head of finance}
  chair: {title: Chair}
  staff: {title: Staff}
inputs:
  budget: {kind: budget, currency: CHF, title: Budget}
  concept: {kind: text, title: Concept}
  target: {kind: number, title: Target}
stages:
"""

PINNED = f"""
plan: pinned{_HEAD}
  - id: first
    title: First
    gates:
      - {{id: sign, title: Sign, kind: sign-off, question: "?", approvers: [board], quorum: majority,
         pinned_to: [budget], remind: every 1 day, escalate: [{{after: 2 days, to: chair}}], waiver: [chair]}}
      - {{id: money, title: Money, kind: budget, question: "?", approvers: [finance], quorum: all,
         bands: [{{above: 100, approvers: [finance-head]}}, {{above: 200, approvers: [chair]}}],
         different_people_than: [sign], expires: {{after: 6 days, outcome: hold}}}}
  - id: second
    title: Second
    gates:
      - {{id: look, title: Look, kind: review, question: "?", approvers: [staff], quorum: 2, recycle_to: first,
         pinned_to: [concept, sign, attachments], order: in turn,
         escalate: [{{after: 3 days, to: finance-head, replace: true}}]}}
  - id: third
    title: Third
    gates:
      - {{id: end, title: End, kind: sign-off, question: "?", approvers: [board, finance], quorum: {{each: 1}},
         on_reject: {{recycle: second}}, renew: {{every: every 5 days, within: 2 days, blocks_new_stages: true}}}}
  - id: last
    title: Last
    gates:
      - {{id: over, title: Over, kind: sign-off, question: "?", approvers: [chair], quorum: any, on_reject: kill}}
"""

SEPARATED = f"""
plan: separated{_HEAD}
  - id: first
    title: First
    gates:
      - {{id: one, title: One, kind: sign-off, question: "?", approvers: [staff], quorum: 2,
         pinned_to: [concept, attachments], waiver: [board], delegates: false}}
      - {{id: two, title: Two, kind: sign-off, question: "?", approvers: [staff, chair], quorum: any,
         different_people_than: [one], remind: every 12 hours}}
      - {{id: three, title: Three, kind: sign-off, question: "?", approvers: [staff], quorum: any,
         same_person_as: one, ask_after: [two]}}
  - id: beside
    title: Beside
    needs: []
    exclusive: room
    gates:
      - {{id: list, title: List, kind: checklist, question: "?", filled_by: staff, approvers: [board], quorum: any,
         items: [{{id: note, title: Note, kind: text}}], expires: {{after: 9 days, outcome: reject}}}}
      - {{id: read, title: Read, kind: acknowledgement, text: Read this, audience: [staff], share: 60 %,
         pinned_to: [concept]}}
  - id: join
    title: Join
    needs: [first, beside]
    exclusive: room
    gates:
      - {{id: quiet, title: Quiet, kind: sign-off, question: "?", approvers: [board], quorum: all,
         silence_is_consent: true, expires: {{after: 3 days, outcome: pass}}}}
      - {{id: value, title: Value, kind: measurement, metric: visits, at_least: 70, minimum_sample: 3,
         waiver: [chair], on_reject: hold}}
"""

EXCLUSIVE = f"""
plan: exclusive{_HEAD}
  - id: alone
    title: Alone
    exclusive: room
    gates:
      - {{id: start, title: Start, kind: sign-off, question: "?", approvers: [board, staff], quorum: 60 %,
         remind: every 1 day, escalate: [{{after: 1 day, to: chair}}, {{after: 4 days, to: finance-head}}],
         expires: {{after: 8 days, outcome: {{recycle: alone}}}}, conditions_in: after}}
  - id: after
    title: After
    gates:
      - {{id: heard, title: Heard, kind: sign-off, question: "?", approvers: [finance], quorum: any, binding: false}}
      - {{id: renewed, title: Renewed, kind: sign-off, question: "?", approvers: [chair], quorum: any,
         renew: every 3 days, pinned_to: [budget]}}
  - id: final
    title: Final
    gates:
      - {{id: close, title: Close, kind: review, question: "?", approvers: [board], quorum: majority,
         recycle_to: alone, lessons: true}}
"""

ALL = (PINNED, SEPARATED, EXCLUSIVE)

_CHANGES = (
    ('question: "?"', 'question: "??"'),
    ('question: "??"', 'question: "?"'),
    ("approvers: [staff]", "approvers: [staff, chair]"),
    ("quorum: majority", "quorum: any"),
    ("quorum: any", "quorum: majority"),
    ("exclusive: room", "exclusive: hall"),
    ("exclusive: hall", "exclusive: room"),
    ("pinned_to: [concept]", "pinned_to: [budget, concept]"),
    ("remind: every 1 day", "remind: every 2 days"),
    ("title: Look", "title: Look again"),
    (
        "    gates:\n",
        "    gates:\n"
        '      - {id: added, title: Added, kind: sign-off, question: "?", approvers: [chair], quorum: any}\n',
    ),
    ('      - {id: added, title: Added, kind: sign-off, question: "?", approvers: [chair], quorum: any}\n', ""),
)


def changed(source: str, chance: random.Random) -> str:
    """Return a plan with one place changed: what is asked, of whom, by which quorum, a gate more or one less."""
    possible = [(old, new) for old, new in _CHANGES if old in source and not ("id: added" in new and "added" in source)]
    old, new = chance.choice(possible)
    at = chance.choice([place for place in range(len(source)) if source.startswith(old, place)])
    return f"{source[:at]}{new}{source[at + len(old) :]}"
