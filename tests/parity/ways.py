"""Three ways to run a flow: in process, in a worker that has given up its rights, and over HTTP."""

from __future__ import annotations

import asyncio
import itertools
import threading
import time
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import pytest
from sqlalchemy import delete, func, select

from runner.admin.tenants import create_tenant
from runner.flow.runner import Runner
from runner.jobs.policy import is_asynchronous
from runner.model.action import Action, with_unique_names
from runner.model.errors import FlowError, ResumeError, RunnerError
from runner.model.outcome import FlowOutcome
from runner.model.runtimes import DEFAULT, PYTHON, file_name
from runner.model.settings import Settings
from runner.server import composition as planes
from runner.store.sealed.suspensions import SqlSuspensions
from runner.store.tables.runs import READY, RUNNING, JobRow
from runner.suspension.stores import MemoryStore, SuspendedFlow
from runner.workers import LegCall, PoolSettings, ResumeCall, WorkerPool
from sandbox.core.program import Language
from tests.parity.stored import deploy
from tests.parity.world import COMMAND, MOMENT, TheWorld, clock, entropy
from tests.serving.server import Client, Server, running, settings_for
from triggers import EventError, Trigger

SECONDS = 60.0


class RefusedError(Exception):
    """The flow did not run. `code`: as the runtime API has it."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@contextmanager
def refusals() -> Iterator[None]:
    """Errors for a caller in process as the runtime API tells them."""
    try:
        yield
    except EventError:
        raise RefusedError("invalid_event") from None
    except (FlowError, ResumeError, RunnerError) as error:
        raise RefusedError(error.code) from None


class Flow(Protocol):
    """One flow, from its first leg to its last."""

    def run(
        self, event: Mapping[str, Any], actions: Sequence[Action], executed_rules: Sequence[str] = ()
    ) -> FlowOutcome:
        """Raises `RefusedError`."""
        ...

    def waiting(self, handle: str) -> SuspendedFlow: ...

    def resume(self, handle: str, actions: Sequence[Action], back: Mapping[str, Any]) -> FlowOutcome:
        """`back`: what came back, as `Runner.resume` takes it. Raises `RefusedError`."""
        ...


class InProcess:
    """The library, as the command line uses it."""

    def __init__(self, world: TheWorld, settings: Settings, trigger: Trigger, mark: str) -> None:
        self._trigger = trigger
        self._mark = mark
        self._runner = Runner(
            settings=settings,
            egress=world,
            store=MemoryStore(),
            caches=world.caches,
            directory=world.directory(""),
        )

    def _fresh(self) -> Runner:
        return replace(self._runner, clock=clock(self._mark), entropy=entropy())

    def run(
        self, event: Mapping[str, Any], actions: Sequence[Action], executed_rules: Sequence[str] = ()
    ) -> FlowOutcome:
        with refusals():
            return self._fresh().run(self._trigger, event, actions, executed_rules=executed_rules)

    def waiting(self, handle: str) -> SuspendedFlow:
        return self._runner.waiting(handle)

    def resume(self, handle: str, actions: Sequence[Action], back: Mapping[str, Any]) -> FlowOutcome:
        with refusals():
            return self._fresh().resume(handle, secrets=actions, **back)


class InWorker:
    """The pool of the service, asked directly."""

    def __init__(self, ways: Ways, settings: Settings, trigger: Trigger, mark: str) -> None:
        self._ways = ways
        self._settings = settings
        self._trigger = trigger
        self._tenant = f"w-{mark}"

    def run(
        self, event: Mapping[str, Any], actions: Sequence[Action], executed_rules: Sequence[str] = ()
    ) -> FlowOutcome:
        call = LegCall(
            trigger=self._trigger.id,
            event=event,
            actions=tuple(actions),
            settings=self._settings,
            executed_rules=tuple(executed_rules),
        )
        with refusals():
            return self._ways.wait(self._ways.pool.run(self._tenant, call)).outcome

    def waiting(self, handle: str) -> SuspendedFlow:
        return self._ways.wait(self._ways.pool.waiting(self._tenant, handle))

    def resume(self, handle: str, actions: Sequence[Action], back: Mapping[str, Any]) -> FlowOutcome:
        secrets = {action.name: action.every_secret for action in with_unique_names(actions)}
        call = ResumeCall(handle=handle, secrets=secrets, settings=self._settings, **back)
        with refusals():
            return self._ways.wait(self._ways.pool.resume(self._tenant, call)).outcome


class OverHttp:
    """The runtime API of a running service, on versions that lie in its store.

    Attributes:
        client: of the tenant of this flow.
    """

    def __init__(self, ways: Ways, trigger: Trigger, mark: str, policy: str = "") -> None:
        """`policy`: of which records are kept; the service's own when it is empty."""
        self._ways = ways
        self._trigger = trigger
        self._mark = mark
        self._policy = policy
        self.client: Client

    def run(
        self, event: Mapping[str, Any], actions: Sequence[Action], executed_rules: Sequence[str] = ()
    ) -> FlowOutcome:
        self.client = self._ways.client(self._mark)
        if self._policy:
            assert self.client.call("PATCH", "//api/v2/record-policy", {"policy": self._policy}).status == 200
        named = with_unique_names(actions)
        ids = deploy(self._ways.server.service, self.client.tenant, self._trigger, named)
        body: dict[str, Any] = {"event": event, "executed_rules": list(executed_rules)}
        if self._trigger.binding_policy == "entity-bound":
            body["action_id"] = ids[0]
        return self._outcome(f"//runtime/v1/triggers/{self._trigger.id}/invoke", body)

    def waiting(self, handle: str) -> SuspendedFlow:
        return self._ways.wait(self._ways.pool.waiting(self.client.tenant, handle))

    def resume(self, handle: str, actions: Sequence[Action], back: Mapping[str, Any]) -> FlowOutcome:
        return self._outcome("//runtime/v1/resume", {"handle": handle, **back})

    def _outcome(self, path: str, body: dict[str, Any]) -> FlowOutcome:
        reply = self.client.call("POST", path, body)
        if reply.status == 202:
            assert is_asynchronous(self._trigger.id)
            outcome = self._ways.outcome(reply.json["execution_id"])
        elif reply.status == 200:
            outcome = FlowOutcome.model_validate(reply.json, strict=False)
        else:
            raise RefusedError(reply.json["errorCode"])
        if reply.status == 202 or outcome.effects.notification is not None:
            self._ways.try_no_more(self.client.tenant)
        return outcome


class Ways:
    """One server with one worker process, for all parity tests of a process."""

    def __init__(self, server: Server, world: TheWorld) -> None:
        self.server = server
        self.world = world
        self.settings = server.service.settings.flows
        self.pool: WorkerPool = server.app.state.plane.workers
        self._loop: asyncio.AbstractEventLoop = server.app.state.plane.pooled._loop
        self._numbers = itertools.count(1)
        self._ended: dict[str, FlowOutcome] = {}
        self._news = threading.Condition()
        server.app.state.plane.runtime.flows._observe = self._observe

    def wait(self, work: Coroutine[Any, Any, Any]) -> Any:
        """What `work` comes to on the service's event loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(SECONDS)

    def client(self, mark: str) -> Client:
        """Of a new tenant whose guests read the clock that `mark` names."""
        tenant = f"p{next(self._numbers)}-{mark}"
        with self.server.service.store.begin() as session:
            create_tenant(session, tenant)
        return self.server.client(tenant)

    def try_no_more(self, tenant: str) -> None:
        """Drop further attempts of the tenant's jobs: they would meet the world of a later flow."""
        until = time.monotonic() + SECONDS
        mine = (JobRow.tenant_id == tenant, JobRow.state.in_((RUNNING, READY)))
        while True:
            with self.server.service.store.begin() as session:
                session.execute(delete(JobRow).where(*mine, JobRow.state == READY))
                if not session.scalar(select(func.count()).select_from(JobRow).where(*mine)):
                    return
            assert time.monotonic() < until, tenant
            time.sleep(0.002)

    def _observe(self, outcome: FlowOutcome) -> None:
        with self._news:
            self._ended.setdefault(outcome.execution_id, outcome)
            self._news.notify_all()

    def outcome(self, execution_id: str) -> FlowOutcome:
        """Of a flow that runs later."""
        with self._news:
            assert self._news.wait_for(lambda: execution_id in self._ended, SECONDS), execution_id
            return self._ended[execution_id]

    def each(self, trigger: Trigger, mark: str = MOMENT) -> dict[str, Flow]:
        """A flow in every way."""
        return {
            "in process": InProcess(self.world, self.settings, trigger, mark),
            "in a worker": InWorker(self, self.settings, trigger, mark),
            "over HTTP": OverHttp(self, trigger, mark),
        }


@contextmanager
def open_ways(folder: Path) -> Iterator[Ways]:
    """All three ways, with a server that keeps its data in `folder`."""
    world = TheWorld()

    def make_pool(settings: Any, store: Any, ring: Any) -> WorkerPool:
        return WorkerPool(
            PoolSettings(workers=1, command=COMMAND, recycle_legs=10**9),
            egress=world,
            store=SqlSuspensions(store, ring),
            caches=world.caches,
            directory=world.directory,
        )

    with ExitStack() as end:
        with pytest.MonkeyPatch.context() as patch:  # servers that other tests start have pools of their own
            patch.setattr(planes, "make_pool", make_pool)
            settings = settings_for(folder, workers=1, tenant_concurrency=32)
            server = end.enter_context(running(settings, whole=True))
        yield Ways(server, world)


def as_the_service_names_them(actions: Sequence[Action]) -> list[Action]:
    """The Actions with the file names that the service gives, so that failures and digests are the same."""
    named = []
    for action in with_unique_names(actions):
        if Path(action.source.filename).suffix not in (".js", ".py"):
            named.append(action)  # the service takes no such file
            continue
        runtime = PYTHON if action.language is Language.PYTHON else DEFAULT
        source = replace(action.source, filename=file_name(action.name, runtime))
        named.append(replace(action, source=source))
    return named
