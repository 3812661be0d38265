"""Dependencies of the routes of the Management API."""

from __future__ import annotations

from dataclasses import dataclass, field

from runner.config.keys import Keys
from runner.http.concurrency_limits import Slots
from runner.http.service import ApiService
from runner.jobs.queue import JobQueue
from runner.management.base.build_queue import BuildQueue
from runner.management.base.interfaces import Builder, FlowRunner, Home, NoHome, Records


@dataclass(frozen=True)
class Service(ApiService):
    """Attributes:
    flows, builder: run and build Actions.
    queue: work that outlives a restart.
    builds: orders builds.
    tests: tests of drafts that run.
    records: of executions, for shadow runs.
    home: where Actions live beside the database.
    """

    keys: Keys
    flows: FlowRunner
    builder: Builder
    queue: JobQueue
    builds: BuildQueue
    tests: Slots
    records: Records
    home: Home = field(default_factory=NoHome)
