"""Prometheus metrics of the service. No label holds a tenant's id or text: their number is bounded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from runner.model.outcome import FlowOutcome, Status
from runner.records.recorder import RecordStats
from runner.workers import PoolStats

_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0)
"""Seconds."""


class Metrics:
    """Metrics of this process; one registry each, so that tests and replicas share nothing."""

    def __init__(self) -> None:
        self.registry: Final = CollectorRegistry()
        self._flows = Counter(
            "actionbox_executions",
            "Legs of flows that ended.",
            ["trigger", "decision"],
            registry=self.registry,
        )
        self._failures = Counter(
            "actionbox_failures", "Actions that failed.", ["language", "code"], registry=self.registry
        )
        self._seconds = Histogram(
            "actionbox_execution_seconds",
            "Wall time of a leg of a flow.",
            ["trigger"],
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self._action_seconds = Histogram(
            "actionbox_action_seconds",
            "Wall time of one Action.",
            ["language"],
            buckets=_BUCKETS,
            registry=self.registry,
        )

        self._arms = Counter(
            "actionbox_rollout_executions",
            "Executions of Actions that are rolled out, by arm and result.",
            ["trigger", "arm", "result"],
            registry=self.registry,
        )

        self._decisions = Counter(
            "actionbox_rollout_decisions",
            "Decisions that this process took on rollouts.",
            ["decision"],
            registry=self.registry,
        )

    def observe(self, outcome: FlowOutcome) -> None:
        """Count one leg."""
        trigger = outcome.trigger.id
        self._flows.labels(trigger, outcome.decision.value).inc()
        self._seconds.labels(trigger).observe(outcome.timing.wall_ms / 1000)
        for action in outcome.actions:
            if action.failure is not None:
                self._failures.labels(action.language.value, action.failure.code.value).inc()
            if action.status is not Status.SKIPPED and action.version is not None and action.version.arm:
                result = "failed" if action.failure is not None else action.status.value
                self._arms.labels(trigger, action.version.arm, result).inc()
            if action.status is not Status.SKIPPED and action.statistics is not None:
                self._action_seconds.labels(action.language.value).observe(action.statistics.wall_ms / 1000)

    def watch(
        self,
        pool: Callable[[], PoolStats],
        jobs: Callable[[], dict[str, int]],
        lost_lines: Callable[[], int],
        records: Callable[[], RecordStats],
        rollouts: Callable[[], dict[str, int]] = dict,
    ) -> None:
        """Also tell, whenever somebody asks, what the pool and the queue of jobs look like, how many lines of
        the log were lost, what became of records, and how many rollouts there are by state."""
        self.registry.register(_Gauges(pool, jobs, lost_lines, records, rollouts))

    def decided(self, decision: str) -> None:
        """Count a decision that this process took on a rollout."""
        self._decisions.labels(decision).inc()


class _Gauges(Collector):
    def __init__(
        self,
        pool: Callable[[], PoolStats],
        jobs: Callable[[], dict[str, int]],
        lost_lines: Callable[[], int],
        records: Callable[[], RecordStats],
        rollouts: Callable[[], dict[str, int]],
    ) -> None:
        self._rollouts = rollouts
        self._pool = pool
        self._jobs = jobs
        self._lost_lines = lost_lines
        self._records = records

    def describe(self) -> Iterator[Metric]:
        return iter(())

    def collect(self) -> Iterator[Metric]:
        pool, records = self._pool(), self._records()
        simple: dict[str, tuple[str, float]] = {
            "actionbox_pool_queue": ("Legs that wait for a worker.", pool.queue),
            "actionbox_pool_running": ("Legs that workers have.", pool.running),
            "actionbox_pool_healthy": ("1 while some worker is ready.", float(pool.healthy)),
            "actionbox_pool_refused": ("Calls told to come later, since the start.", pool.refused),
            "actionbox_pool_lost": ("Legs whose worker gave no outcome, since the start.", pool.lost),
            "actionbox_log_lines_lost": (
                "Lines of the log that could not be written, since the start.",
                self._lost_lines(),
            ),
            "actionbox_records_queue": ("Records that wait to be stored.", records.queue),
            "actionbox_records_queue_bytes": ("Bytes of these, before compression.", records.queue_bytes),
            "actionbox_records_bytes": ("Bytes of records that were stored, since the start.", records.bytes),
            "actionbox_workers_recycled": ("Workers replaced in order, since the start.", pool.recycled),
            "actionbox_workers_resident_bytes": (
                "Resident memory of all workers.",
                sum(worker.resident_bytes for worker in pool.workers),
            ),
        }
        for name, (text, value) in simple.items():
            yield GaugeMetricFamily(name, text, value=value)
        yield _labelled(
            "actionbox_workers_restarts", "Workers that died or were killed.", "reason", pool.restarts
        )
        yield _labelled(
            "actionbox_records_kept", "Legs whose record was stored, since the start.", "reason", records.kept
        )
        yield _labelled(
            "actionbox_records_dropped",
            "Records that were not kept, or went early.",
            "reason",
            records.dropped,
        )
        yield _labelled("actionbox_jobs", "Jobs by state.", "state", self._jobs())
        yield _labelled("actionbox_rollouts", "Rollouts by state.", "state", self._rollouts())


def _labelled(name: str, text: str, label: str, values: dict[str, Any]) -> Metric:
    family = GaugeMetricFamily(name, text, labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family
