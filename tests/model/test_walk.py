"""The stateful proof: a walk by chance through everything, judged after every step (tests/model/invariants.py).

`pytest tests/model --seed 7 --steps 500` takes one walk again, step for step; `--walks 500` takes more of them.
What it cannot prove: races (tests/integration/test_two_at_once.py) and crashes (tests/integration/test_crash.py).
"""

from __future__ import annotations

import os
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from tests.model.walk import Walk, walk

OPTIONS = {"--seed": None, "--walks": 50, "--steps": 400}
"""Which walk alone, how many, and of how many steps each, unless the command line says otherwise."""


NEVER_TAKEN = {"decide_by_an_old_link", "decide_what_was_shown_before", "decide_with_a_wrong_code"}
"""What is tried and must be refused, every time."""


@pytest.mark.slow
def test_whatever_happens_no_rule_is_broken(pytestconfig: pytest.Config, tmp_path: Path, migrated_sqlite: Path) -> None:
    seed, walks, steps = (pytestconfig.getoption(name, usual) for name, usual in OPTIONS.items())
    seeds = [seed] if seed is not None else list(range(walks))
    taken: Counter[str] = Counter()
    with ProcessPoolExecutor(min(os.cpu_count() or 1, len(seeds))) as pool:
        running = {number: pool.submit(walk, tmp_path, migrated_sqlite, number, steps) for number in seeds}
        for number, result in running.items():
            try:
                taken += result.result()
            except AssertionError as broken:
                pytest.fail(f"pytest tests/model --seed {number} --steps {steps}: {broken}")
    if seed is None and walks * steps >= 20_000:
        never = set(Walk.steps) - set(taken)
        assert never == NEVER_TAKEN, f"never done: {never - NEVER_TAKEN}; done after all: {NEVER_TAKEN - never}"
