"""What /metrics shows to a monitor, in Prometheus' text format: counts and ages, and nothing about any person.

https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from prometheus_client.core import CollectorRegistry, GaugeMetricFamily
from prometheus_client.exposition import generate_latest
from sqlalchemy.orm import Session

from models.gates import count_of_open_gates, count_of_overdue_gates
from models.outbox import MessageState, message_counts, next_message_due
from models.rollouts import count_of_stalled_stages, rollout_counts
from operations.check_health import CheckHealth, check_health


class _Measured:
    """The families of one reading, as a registry of its own collects them."""

    def __init__(self, families: Iterable[GaugeMetricFamily]) -> None:
        self._families = list(families)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        yield from self._families


def exposition(session: Session, now: datetime) -> bytes:
    """Return everything that is measured at `now` (aware), as it goes over the wire."""
    registry = CollectorRegistry(auto_describe=False)
    health = check_health(session, now)
    registry.register(
        _Measured([*_of_the_check(health, now), *_of_messages(session, now), *_of_rollouts(session, now)])
    )
    return generate_latest(registry)


def _of_the_check(health: CheckHealth, now: datetime) -> Iterator[GaugeMetricFamily]:
    yield _gauge("check_late", "Whether no run of the scheduled check has finished for too long", float(health.late))
    yield _gauge("check_unfinished_runs", "Runs begun since the last one that finished", health.unfinished)
    if health.finished_at and health.took is not None:
        age = max(0.0, (now - health.finished_at).total_seconds())
        yield _gauge("check_age_seconds", "Since the last run of the check finished", age)
        yield _gauge("check_duration_seconds", "How long that run took", health.took.total_seconds())
    did = {name: float(count) for name, count in health.report.items()}
    yield _gauges("check_did", "What that run did, how many of each", "what", did)


def _of_messages(session: Session, now: datetime) -> Iterator[GaugeMetricFamily]:
    counts = {str(state): float(count) for state, count in session.execute(message_counts())}
    nothing = {str(state): 0.0 for state in (MessageState.PENDING, MessageState.DEAD)}
    yield _gauges("messages", "Messages that wait, and those refused for good", "state", {**nothing, **counts})
    due_at = session.scalar(next_message_due(now))
    age = max(0.0, (now - due_at).total_seconds()) if due_at else 0.0
    yield _gauge("oldest_due_message_seconds", "For how long the oldest message has been due that nobody delivers", age)


def _of_rollouts(session: Session, now: datetime) -> Iterator[GaugeMetricFamily]:
    states = {str(state): float(count) for state, count in session.execute(rollout_counts())}
    yield _gauges("rollouts", "Rollouts by state", "state", states)
    yield _gauge("gates_open", "Gates that wait for an answer", session.scalar(count_of_open_gates()) or 0)
    overdue = session.scalar(count_of_overdue_gates(now)) or 0
    yield _gauge("gates_overdue", "Open gates past their expiry, and overdue renewals", overdue)
    yield _gauge("stages_stalled", "Stages that count as stalled", session.scalar(count_of_stalled_stages()) or 0)


def _gauge(name: str, means: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"etappe_{name}", means, value=value)


def _gauges(name: str, means: str, label: str, values: dict[str, float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"etappe_{name}", means, labels=[label])
    for labelled, value in values.items():
        family.add_metric([labelled], value)
    return family
