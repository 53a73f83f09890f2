"""The one cluster, and what happens in it once: each test looks at something else of that."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.containers import Containers
from tests.cluster.places import PACKAGES
from tests.cluster.pods import Pods
from tests.cluster.post_office import PostOffice
from tests.cluster.running import Processes
from tests.cluster.story import Cluster, Story, story_of

SEARCHED = f"{os.environ['PATH']}:/usr/sbin"


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("etappe")
    group.addoption("--containers", action="store_true", help="run the cluster as containers, by Docker")
    group.addoption("--pods", action="store_true", help="run the cluster as pods, in the one that kubectl reaches")


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[Cluster]:
    """Two of each, which are up."""
    folder = tmp_path_factory.mktemp("cluster")
    running = _running(folder, pytestconfig)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PREFECT_HOME", str(folder / "prefect-of-the-test"))
        try:
            running.start()
            yield running
        finally:
            running.stop()


def _running(folder: Path, config: pytest.Config) -> Cluster:
    if config.getoption("--pods", False):
        return Pods(folder)
    return Containers(folder) if config.getoption("--containers", False) else _processes(folder)


def _processes(folder: Path) -> Processes:
    """Skipped where scripts/cluster finds something missing."""
    missing = [name for name in ("redis-server", "nginx") if not shutil.which(name, path=SEARCHED)]
    if missing or not (PACKAGES / "prefect_redis").is_dir():
        pytest.skip("run by `make cluster`, which says what this needs")
    return Processes(folder)


@pytest.fixture(scope="session")
def story(cluster: Cluster) -> Iterator[Story]:
    """What happens: everybody decides, and half way through one of each is killed."""
    office = PostOffice()
    with office.open(cluster.mail_host, cluster.at.smtp):
        told = story_of(cluster, office, cluster.folder / "test")
        told.tell()
        yield told
        told.etappe.api.close()
        told.etappe.installation.db.close()
