"""What must hold after every step, whatever people and time have done. Written without the code that it judges.

`after_step` takes what was stored before and after one step, and raises AssertionError with the broken rule in words.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from typing import Any

from tests.model.snapshot import Row, Snapshot

SETTLED = {"passed", "rejected", "expired", "waived", "withdrawn"}
ENDED = {"completed", "killed", "cancelled"}
APPROVES = {"approve", "approve-with-conditions"}
PLAIN_WORDS = {"request-changes"}


def after_step(before: Snapshot, after: Snapshot, plans: dict[str, dict[str, Any]]) -> None:
    """Judge one step. `plans` maps rollout ids to their plans as plain dicts (gate id to what the plan says of it)."""
    _nothing_is_forgotten(before, after)
    _settled_gates_stay(before, after)
    _each_change_has_one_entry(before, after)
    for gate in after.current_gates():
        planned = plans[gate["rollout_id"]].get(gate["key"])
        if planned is not None:
            _passed_by_right(before, after, gate, planned)
            _open_gates_are_undecided(after, gate, planned)
            _approvals_are_for_what_holds_now(after, gate, plans[gate["rollout_id"]])
            _a_clock_stands_still_for_an_answer(after, gate)
    _people_kept_apart(after, plans)
    _voices_are_lent_by_right(before, after, plans)
    _absences_are_noticed_once(after)
    _links_and_requests(after)
    _conditions(after)
    _stages(after, before, plans)
    _one_at_a_time(after, plans)


def refused_step(before: Snapshot, after: Snapshot) -> None:
    """A step that was refused has changed nothing."""
    for table, rows in before.rows.items():
        assert after.rows[table] == rows, f"a refused step has changed {table}"


def _nothing_is_forgotten(before: Snapshot, after: Snapshot) -> None:
    for table in ("decisions", "lapses", "audit_entries", "measurements"):
        key = (lambda row: (row["rollout_id"], row["sequence"])) if table == "audit_entries" else _id_of(table)
        now = {key(row): row for row in after.rows[table]}
        for row in before.rows[table]:
            assert now.get(key(row)) == row, f"{table}: what was written has changed or gone"


def _id_of(table: str) -> Any:
    return (lambda row: row["decision_id"]) if table == "lapses" else (lambda row: row["id"])


def _settled_gates_stay(before: Snapshot, after: Snapshot) -> None:
    now = {gate["id"]: gate for gate in after.gates}
    for gate in before.gates:
        if gate["state"] in SETTLED:
            assert now[gate["id"]]["state"] == gate["state"], (
                f"gate {gate['key']} reopened within round {gate['round']}"
            )
    newest = Counter((gate["rollout_id"], gate["key"]) for gate in after.current_gates())
    assert set(newest.values()) <= {1}, "a gate has two newest rounds"


def _each_change_has_one_entry(before: Snapshot, after: Snapshot) -> None:
    new = after.audit_entries[len(before.audit_entries) :]
    known = {(row["rollout_id"], row["sequence"]) for row in before.audit_entries}
    new = [row for row in after.audit_entries if (row["rollout_id"], row["sequence"]) not in known]
    written: Counter[tuple[Any, ...]] = Counter()
    for row in new:
        subject, _, event = row["action"].partition(".")
        if subject == "gate":
            written[row["rollout_id"], "gates", row["gate"], row["round"], event] += 1
        elif subject == "stage" and row["gate"] is None:
            written[row["rollout_id"], "stages", row["stage"], row["round"], event] += 1
        elif subject == "rollout":
            written[row["rollout_id"], "rollouts", None, None, event] += 1
    for table in ("gates", "stages", "rollouts"):
        for rollout_id, key, number, path in _changes(table, before, after):
            for event in path:
                entries = written[rollout_id, table, key, number, event]
                assert entries == 1, f"{table} {key} of round {number}: “{event}” stands in the record {entries} times"


_EVENTS = {
    "gates": {"open": "opened"},
    "stages": {"open": "opened"},
    "rollouts": {"open": "opened"},
}


def _changes(table: str, before: Snapshot, after: Snapshot) -> list[tuple[Any, ...]]:
    """What the state of each row has become, as the events that must stand in the record once."""
    old = {row["id"]: row["state"] for row in before.rows[table]}
    found = []
    for row in after.rows[table]:
        was, now = old.get(row["id"], "waiting"), row["state"]
        if was == now or now == "waiting":
            continue
        resumed = was == "held" and now == "open"
        event = "resumed" if resumed else _EVENTS[table].get(now, now)
        rollout_id = row["id"] if table == "rollouts" else row["rollout_id"]
        found.append((rollout_id, row.get("key"), row.get("round"), [event]))
    return found


def _passed_by_right(before: Snapshot, after: Snapshot, gate: Row, planned: dict[str, Any]) -> None:
    was = {row["id"]: row["state"] for row in before.gates}
    if gate["state"] != "passed" or was.get(gate["id"]) == "passed":
        return
    words = after.standing(gate)
    heard = [(voice, word) for voice, word in words.items() if _counts(word, planned)]
    if planned["kind"] == "measurement":
        newest = [row for row in after.measurements if row["metric"] == planned["metric"]]
        assert any(float(row["value"]) >= 70 and (row["sample"] or 0) >= 3 for row in newest), (
            "passed without its value"
        )
    elif planned["kind"] == "checklist" and not planned.get("approvers"):
        assert gate["answers"] is not None
    elif _was_silent(after, gate):
        assert planned.get("silence_is_consent"), f"{gate['key']} passed by silence"
        assert not any(word["decision"] in ("reject", "request-changes") for word in words.values()), (
            "somebody objected"
        )
    else:
        assert _seated(gate, heard), f"{gate['key']} passed without its quorum: {heard}, {gate['requirements']}"
        _distinct_and_eligible(after, gate, planned, heard)


def _counts(word: Row, planned: dict[str, Any]) -> bool:
    if planned.get("binding", True):
        return word["decision"] in APPROVES
    return word["decision"] not in PLAIN_WORDS


def _was_silent(after: Snapshot, gate: Row) -> bool:
    entries = [row for row in after.audit_entries if row["action"] == "gate.passed" and row["gate"] == gate["key"]
               and row["round"] == gate["round"] and row["rollout_id"] == gate["rollout_id"]]  # fmt: skip
    return any(entry["facts"].get("silence") for entry in entries)


def _seated(gate: Row, heard: list[tuple[str, Row]]) -> bool:
    """Whether every seat can be taken by another voice: tried in every way there is."""
    seats = [one for one in gate["requirements"] for _ in range(one["needed"])]
    voices = [voice for voice, _ in heard]
    return _fill(seats, voices, set(gate["stand_ins"]))


def _fill(seats: list[Any], voices: list[str], stand_ins: set[str]) -> bool:
    if not seats:
        return True
    first, *rest = seats
    return any(
        _fill(rest, [other for other in voices if other != voice], stand_ins)
        for voice in voices
        if voice in first["members"] or voice in stand_ins
    )


def _distinct_and_eligible(after: Snapshot, gate: Row, planned: dict[str, Any], heard: list[tuple[str, Row]]) -> None:
    rollout = next(row for row in after.rollouts if row["id"] == gate["rollout_id"])
    people = [person for voice, word in heard for person in {voice, word["person"]}]
    assert len(people) == len(set(people)), f"one person is two voices at {gate['key']}: {people}"
    if planned["kind"] != "acknowledgement" and planned.get("exclude", ["requester"]) == ["requester"]:
        assert rollout["requester"] not in people, f"the requester has decided {gate['key']}"


def _open_gates_are_undecided(after: Snapshot, gate: Row, planned: dict[str, Any]) -> None:
    if gate["state"] != "open" or not gate["requirements"]:
        return
    if planned["kind"] == "checklist" and gate["answers"] is None:
        return
    heard = [(voice, word) for voice, word in after.standing(gate).items() if _counts(word, planned)]
    assert not _seated(gate, heard), f"{gate['key']} has its quorum and is still open"


def _approvals_are_for_what_holds_now(after: Snapshot, gate: Row, plan: dict[str, Any]) -> None:
    """Nobody's approval stands for an input or attachments that have changed since: reckoned from the bytes."""
    if gate["state"] not in ("open", "passed"):
        return
    rollout = next(row for row in after.rollouts if row["id"] == gate["rollout_id"])
    files = [row for row in after.rows["attachments"] if row["rollout_id"] == rollout["id"] and not row["removed_at"]]
    now = {name: rollout["inputs"].get(name) for name in ("budget", "concept", "target")}
    now["attachments"] = {row["name"]: row["digest"] or row["url"] for row in files}
    for word in after.standing(gate).values():
        for name, pinned in word["pinned"].items():
            if name in now and word["decision"] not in PLAIN_WORDS:
                assert pinned == _digest(now[name]), f"{gate['key']}: {name} has changed, and nobody lapsed"


def _a_clock_stands_still_for_an_answer(after: Snapshot, gate: Row) -> None:
    """Somebody is asked for changes exactly while a gate's clock stands still, and nothing is due by it then."""
    rows = [row for row in after.rows["requests"] if row["gate_id"] == gate["id"] and row["purpose"] == "respond"]
    asked = any(row["state"] == "open" for row in rows)
    paused = gate["paused_at"] is not None
    assert asked == paused, f"{gate['key']}: its clock {'stands still' if paused else 'goes on'}, and asked is {asked}"
    if paused:
        assert gate["state"] == "open", f"the clock of {gate['key']} stands still, and it is {gate['state']}"
        assert gate["expires_at"] is None and gate["escalate_at"] is None, f"{gate['key']} is due all the same"
        wishes = [word for word in after.standing(gate).values() if word["decision"] == "request-changes"]
        assert wishes, f"the clock of {gate['key']} stands still, and nobody asks for changes"


def _digest(value: Any) -> str:
    written = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(written.encode()).hexdigest()


def _people_kept_apart(after: Snapshot, plans: dict[str, dict[str, Any]]) -> None:
    gates = {(gate["rollout_id"], gate["key"]): gate for gate in after.current_gates()}
    for (rollout_id, key), gate in gates.items():
        for other in (plans[rollout_id].get(key) or {}).get("different_people_than", []):
            here, there = (_people_at(after, one) for one in (gate, gates[rollout_id, other]))
            assert not here & there, f"{here & there} decided both {key} and {other}"


def _people_at(after: Snapshot, gate: Row) -> set[str]:
    words = [one for one in after.decisions if one["gate_id"] == gate["id"] and one["decision"] not in PLAIN_WORDS]
    return {person for one in words for person in (one["person"], one["on_behalf_of"] or one["person"])}


def _voices_are_lent_by_right(before: Snapshot, after: Snapshot, plans: dict[str, dict[str, Any]]) -> None:
    """Who spoke for somebody else had been lent that voice at that moment, and the gate allows it."""
    gates = {gate["id"]: gate for gate in after.gates}
    for word in after.decisions[len(before.decisions) :]:
        if not word["on_behalf_of"]:
            continue
        gate, at = gates[word["gate_id"]], word["decided_at"]
        planned = plans[word["rollout_id"]].get(gate["key"]) or {}
        assert planned.get("delegates", True), f"{word['person']} spoke for somebody at {gate['key']}"
        assert any(
            (one["delegator"], one["delegate"]) == (word["on_behalf_of"], word["person"])
            and one["starts_at"] <= at < one["ends_at"]
            and (one["revoked_at"] is None or one["revoked_at"] > at)
            for one in after.delegations
        ), f"{word['person']} was not lent the voice of {word['on_behalf_of']}"


def _absences_are_noticed_once(after: Snapshot) -> None:
    """What follows from somebody's being away follows once for each thing that they are asked, and while they are."""
    absences = {row["id"]: row for row in after.rows["absences"]}
    noticed = [entry for entry in after.audit_entries if entry["action"] == "request.away"]
    pairs = Counter((entry["facts"]["request"], entry["facts"]["absence"]) for entry in noticed)
    assert set(pairs.values()) <= {1}, "an absence had its consequences twice"
    for entry in noticed:
        away = absences[entry["facts"]["absence"]]
        assert away["starts_at"] <= entry["at"] < away["ends_at"], f"{away['person']} was not away"


def _links_and_requests(after: Snapshot) -> None:
    gates = {gate["id"]: gate for gate in after.gates}
    rollouts = {row["id"]: row for row in after.rollouts}
    alive = Counter(link["request_id"] for link in after.links if link["voided_at"] is None)
    mailed = {(row["facts"].get("request_id")) for row in after.messages}
    for row in (*after.requests, *after.decisions):
        gate = gates[row["gate_id"]]
        assert gate["opened_at"], f"something was asked or said at {gate['key']}, which has never opened"
    for request in after.requests:
        gate = gates[request["gate_id"]]
        if request["state"] != "open":
            continue
        assert gate["state"] == "open", f"{request['person']} is asked at {gate['key']}, which is {gate['state']}"
        assert gate["current"], f"{request['person']} is asked in a round that is over"
        assert rollouts[request["rollout_id"]]["state"] not in ENDED, "somebody is asked in a rollout that has ended"
        assert alive[request["id"]] == 1, f"{request['person']} has {alive[request['id']]} links that count"
        assert request["id"] in mailed, f"{request['person']} was never told"
        if request["purpose"] == "decide":
            requester = rollouts[request["rollout_id"]]["requester"]
            assert requester not in (request["person"], request["on_behalf_of"]), "the requester is asked to decide"


def _conditions(after: Snapshot) -> None:
    """A condition's gate is there exactly as long as the approval that it hangs on counts."""
    conditions = {row["id"]: row for row in after.conditions}
    gates = {gate["id"]: gate for gate in after.gates}
    newest = {(gate["rollout_id"], gate["key"]): gate for gate in after.current_gates()}
    lapsed = {lapse["decision_id"] for lapse in after.lapses}
    there = Counter(gate["condition_id"] for gate in after.current_gates() if gate["condition_id"] is not None)
    for condition_id in there:
        condition = conditions[condition_id]
        made_at = gates[condition["gate_id"]]
        now = newest[made_at["rollout_id"], made_at["key"]]
        assert condition["decision_id"] not in lapsed, f"condition {condition_id} outlived its approval"
        assert made_at["state"] == "passed", f"condition {condition_id} is asked for, {made_at['key']} has not passed"
        assert made_at["current"] or now["renewal"], f"condition {condition_id} is of an earlier round"
    lost = {row["facts"]["condition"] for row in after.audit_entries if row["action"] == "condition.not-held"}
    for condition in after.conditions:
        made_at = gates[condition["gate_id"]]
        standing = {word["id"]: voice for voice, word in after.standing(made_at).items()}
        voice = standing.get(condition["decision_id"])
        if made_at["state"] == "passed" and made_at["current"] and voice in _may_speak(made_at):
            assert there[condition["id"]] + (condition["id"] in lost) == 1, f"condition {condition['id']} has no gate"


def _may_speak(gate: Row) -> set[str]:
    return set(gate["stand_ins"]).union(*(one["members"] for one in gate["requirements"]))


def _stages(after: Snapshot, before: Snapshot, plans: dict[str, dict[str, Any]]) -> None:
    was = {row["id"]: row["state"] for row in before.stages}
    current = [stage for stage in after.stages if stage["current"]]
    for stage in current:
        gates = [gate for gate in after.current_gates() if gate["stage_id"] == stage["id"]]
        if stage["state"] == "passed":
            done = [gate["state"] in ("passed", "waived") or gate["renewal"] for gate in gates]
            assert all(done), f"stage {stage['key']} has passed, its gates have not"
        if stage["state"] == "open" and was.get(stage["id"], "waiting") == "waiting" and stage["round"] == 1:
            _all_before_have_passed(stage, current, plans)
    for rollout in after.rollouts:
        if rollout["state"] == "completed":
            mine = [stage["state"] for stage in current if stage["rollout_id"] == rollout["id"]]
            assert set(mine) == {"passed"}, f"completed with stages {mine}"


def _all_before_have_passed(stage: Row, current: list[Row], plans: dict[str, dict[str, Any]]) -> None:
    needs: dict[str, list[str]] = plans[stage["rollout_id"]]["needs"]
    states = {one["key"]: one["state"] for one in current if one["rollout_id"] == stage["rollout_id"]}
    before, seen = list(needs[stage["key"]]), set[str]()
    while before:
        key = before.pop()
        if key not in seen:
            seen.add(key)
            before += needs[key]
    assert all(states[key] == "passed" for key in seen), f"stage {stage['key']} opened before {seen} had passed"


def _one_at_a_time(after: Snapshot, plans: dict[str, dict[str, Any]]) -> None:
    using = Counter(
        plans[stage["rollout_id"]]["exclusive"][stage["key"]]
        for stage in after.stages
        if stage["current"]
        and stage["state"] in ("open", "held")
        and plans[stage["rollout_id"]]["exclusive"].get(stage["key"])
    )
    assert all(count == 1 for count in using.values()), f"used by several at once: {dict(using)}"
