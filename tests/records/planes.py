"""The runtime plane with a tenant whose executions are recorded by a policy."""

from __future__ import annotations

import asyncio
from typing import Any

from runner.model.outcome import FlowOutcome
from runner.records.store import RecordStore
from runner.replay.execution_record import ExecutionRecord
from runner.runtime.schemas import ResumeBody
from runner.store import Store
from runner.store.generations import bump
from runner.store.tables.models import Tenant
from runner.store.tables.runs import ExecutionRow
from tests.runtime.tenants import RING, Plane, tenant
from tests.runtime.test_flows import body, outcome
from triggers import get_trigger, known_triggers

SECRETS = {"KEY": "hush-hush-hush-hush"}
LOGIN = """
exports.onExecutePostLogin = async (event, api) => {
  console.log("secret is", event.secrets.KEY, Math.random(), Date.now());
  const asked = event.request.query.do;
  if (asked === "deny") api.access.deny("no");
  if (asked === "fail") throw new Error("broken");
  if (asked === "ask") api.redirect.sendUserTo("https://x.example/ask");
};
exports.onContinuePostLogin = async (event, api) => {
  console.log("back", crypto.randomUUID());
  if (event.request.query.do === "deny") api.access.deny("no");
  if (event.request.query.do === "ask") api.redirect.sendUserTo("https://x.example/ask");
};
"""


def recorded_tenant(store: Store, policy: str, name: str = "t") -> str:
    """A new tenant with this policy."""
    tenant(store, name)
    choose(store, name, policy=policy)
    return name


def choose(store: Store, tenant: str, **records: Any) -> None:
    """What the tenant chooses for its records."""
    with store.begin() as session:
        row = session.get(Tenant, tenant)
        assert row is not None
        row.settings = {"records": records}
        for trigger in known_triggers():
            bump(session, tenant, trigger.id)


def request(do: str, **query: str) -> dict[str, Any]:
    return {**get_trigger("post-login").example_event["request"], "query": {"do": do, **query}}


async def login(here: Plane, tenant: str, do: str = "", *, user: str = "") -> FlowOutcome:
    """A login in which the Action does what is asked."""
    given = body("post-login")
    given.event["request"] = request(do)
    if user:
        given.event["user"] = {**given.event["user"], "user_id": user}
    return outcome(await here.flows.invoke(tenant, "post-login", given))


async def back(here: Plane, tenant: str, asked: FlowOutcome, do: str = "") -> FlowOutcome:
    """The user of a suspended login comes back."""
    assert asked.suspension is not None
    again = request(do, state=asked.suspension.state)
    return outcome(await here.flows.resume(tenant, ResumeBody(handle=asked.suspension.handle, request=again)))


async def settled(here: Plane) -> None:
    """Everything that was to be recorded is."""
    assert await asyncio.to_thread(here.recorder.settled, 20)


def records(store: Store) -> RecordStore:
    return RecordStore(store, lambda: RING)


async def kept(store: Store, tenant: str, execution_id: str) -> ExecutionRecord | None:
    return await asyncio.to_thread(records(store).get, tenant, execution_id)


async def recent(store: Store, tenant: str, most: int = 10, **options: Any) -> list[str]:
    """Ids of the executions."""

    def read() -> list[str]:
        return [item.execution_id for item in records(store).recent(tenant, "post-login", most, **options)]

    return await asyncio.to_thread(read)


def said(store: Store, tenant: str, execution_id: str) -> str | None:
    """What the execution says of its record."""
    with store.read() as session:
        row = session.get(ExecutionRow, (tenant, execution_id))
        assert row is not None
        return row.record
