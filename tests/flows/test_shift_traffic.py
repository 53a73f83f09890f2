"""The sample that shifts traffic: how it moves, what it keeps, and that a failure leaves things as they were."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from tests.flows.conftest import Etappe


@pytest.mark.parametrize(
    ("start", "end", "way"),
    [
        (0, 10, [2, 4, 6, 8, 10]),
        (10, 50, [18, 26, 34, 42, 50]),
        (0, 1, [1]),
        (100, 0, [80, 60, 40, 20, 0]),
        (7, 7, []),
    ],
)
def test_it_goes_step_by_step(prefect: str, start: int, end: int, way: list[int]) -> None:
    from flows.shift_traffic import steps

    assert steps(start, end) == way


@pytest.mark.parametrize(
    ("before", "release", "percent", "after"),
    [
        ({}, "b", 10, {"b": 10}),
        ({"b": 10}, "b", 50, {"b": 50}),
        ({"a": 100}, "b", 10, {"b": 10, "a": 90}),
        ({"a": 50, "b": 30}, "c", 40, {"c": 40, "a": 50, "b": 10}),
        ({"a": 60, "b": 40}, "b", 100, {"b": 100}),
        ({"b": 10}, "b", 0, {}),
    ],
)
def test_others_keep_what_is_left(
    prefect: str, before: dict[str, int], release: str, percent: int, after: dict[str, int]
) -> None:
    from flows.shift_traffic import moved

    assert moved(before, release, percent) == after


def test_what_is_written_is_read_again_and_nothing_else_is_left(prefect: str, tmp_path: Path) -> None:
    from flows.shift_traffic import read_traffic, write_traffic

    assert read_traffic(tmp_path) == {}
    for percent in (10, 20):
        write_traffic(tmp_path, {"a": percent})
    assert read_traffic(tmp_path) == {"a": 20}
    assert [path.name for path in tmp_path.iterdir()] == ["sample-traffic.json"]


def press(etappe: Etappe, **parameters: object) -> httpx.Response:
    """Start the sample the way Prefect's pages do; return what its server answers."""
    deployment = etappe.deployment("shift-traffic/sample")["id"]
    body = {"parameters": parameters, "state": {"type": "SCHEDULED"}}
    return etappe.api.post(f"deployments/{deployment}/create_flow_run", json=body)


@pytest.mark.parametrize("percent", [-1, 101, "ten", None])
def test_what_is_no_percentage_is_refused_in_the_form(etappe: Etappe, percent: object) -> None:
    assert press(etappe, release="2.4.0", percent=percent).status_code == 409


def test_a_worker_executes_it_and_says_where_the_traffic_stands(etappe: Etappe, home: Path) -> None:
    from flows.shift_traffic import read_traffic, write_traffic

    write_traffic(home, {"1.0": 40})
    shifting = press(etappe, release="1.1", percent=10).json()["id"]
    etappe.until(shifting, "Completed")
    assert read_traffic(home) == {"1.1": 10, "1.0": 40}
    [said] = etappe.tables(shifting)
    assert "| 1.1 | 10 % |" in said["data"]
    assert "| what ran before | 50 % |" in said["data"]


def test_a_failure_puts_everything_back(etappe: Etappe, home: Path) -> None:
    from flows.shift_traffic import read_traffic, write_traffic

    write_traffic(home, {"1.0": 40})
    failing = press(etappe, release="1.1", percent=60, fail=True).json()["id"]
    assert "RuntimeError" in etappe.until(failing, "Failed")["state"]["message"]
    assert read_traffic(home) == {"1.0": 40}
