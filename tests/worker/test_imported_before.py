"""What parts import and prepare before they are forked: what they write to after it, each of them has for itself.

See docs/adr/0015-parts-share-what-they-import.md; the figures are in docs/performance.md, “Waiting, and growing”.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from cli.parts import Layout, all_parts
from settings import CHECKOUT

SCRIPT = """
import json, sys
from worker.preloaded import _preload
for name in sys.argv[2:]:
    _preload(name)
before = set(sys.modules)
exec(sys.argv[1])
print(json.dumps([sorted(before), sorted(set(sys.modules) - before)]))
"""
WEB = """
import tempfile
from cli.main import etappe
from models.database import Database
from settings import Settings
from web.serve import config
etappe.get_command(etappe.make_context("etappe", ["web"]), "web")
with tempfile.TemporaryDirectory() as folder:
    database = Database(f"sqlite:///{folder}/etappe.db")
    served = config(Settings.from_environment({"ETAPPE_HOME": folder}), database)
    served.get_loop_factory()
    served.load()
"""
RELAY = """
from cli.main import etappe
etappe.get_command(etappe.make_context("etappe", ["relay"]), "relay")
import worker.relay, worker.follower
"""
WORKER = """
import os
from prefect.utilities.processutils import setup_signal_handlers_worker
from worker.warm import in_advance, zygote
from worker.warm.worker import WarmWorker
zygote.warm_up()
WarmWorker(name="a name", work_pool_name="a pool", limit=1)._logger.info("a line of the log")
WarmWorker.get_default_base_job_template()
"""


@pytest.mark.parametrize(("part", "begins"), [("web page", WEB), ("relay", RELAY), ("worker", WORKER)])
def test_a_part_imports_nothing_more_when_it_begins(part: str, begins: str, tmp_path: Path) -> None:
    _, after = _imported(begins, tmp_path, part)
    assert after == []


def test_prefects_command_line_is_not_needed_to_start_the_worker(tmp_path: Path) -> None:
    before, _ = _imported("pass", tmp_path, "web page", "relay", "worker")
    assert "prefect.workers.process" in before
    assert not {"prefect.cli", "cyclopts"} & set(before)


def _imported(script: str, folder: Path, *parts: str) -> tuple[list[str], list[str]]:
    """The modules that are there before these parts are forked, and those that `script` adds."""
    layout = Layout(folder, 18400, 14200, 11025)
    names = [name for part in all_parts(layout) if part.name in parts for name in part.preload]
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, script, *names],
        cwd=CHECKOUT, capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    before, after = json.loads(done.stdout.splitlines()[-1])
    return before, after
