"""Invoke and resume over store and workers: what is answered is on record, and what was promised happens."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from runner.jobs.policy import FLOW, Policy
from runner.model.errors import ResumeError
from runner.model.outcome import FlowOutcome
from runner.runtime.entities import UnknownActionError
from runner.runtime.records.executions import Filters, get_execution, list_executions
from runner.runtime.records.idempotency import Slot, StoredResponse
from runner.runtime.schemas import InvokeBody, ResumeBody
from runner.store import Store
from runner.store.tables.columns import Base
from runner.store.tables.runs import DEAD, DONE, ExecutionRow, JobRow
from tests.runtime.tenants import Plane, deploy, plane, tenant, working
from triggers import EventError, get_trigger

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
CALLER = f"00-{TRACE}-00f067aa0ba902b7-01"
CLAIM = """
exports.onExecutePostLogin = async (event, api) => {
  console.log("secret is", event.secrets.KEY);
  api.idToken.setCustomClaim("https://x.example/key", event.secrets.KEY.length);
};
"""
DENY = 'async def on_execute_post_login(event, api):\n    api.access.deny("no")\n'
ASK = """
exports.onExecutePostLogin = async (event, api) => { api.redirect.sendUserTo("https://x.example/ask"); };
exports.onContinuePostLogin = async (event, api) => {
  api.idToken.setCustomClaim("https://x.example/key", event.secrets.KEY + "!" + event.request.query.answer);
};
"""


def body(trigger: str, **more: Any) -> InvokeBody:
    return InvokeBody(event=get_trigger(trigger).example_event, **more)


def outcome(answer: StoredResponse) -> FlowOutcome:
    assert answer.status == 200
    return FlowOutcome.from_json(answer.text)


async def eventually(check: Callable[[], bool], seconds: float = 60) -> None:
    deadline = asyncio.get_running_loop().time() + seconds
    while not await asyncio.to_thread(check):
        assert asyncio.get_running_loop().time() < deadline, "it never happened"
        await asyncio.sleep(0.05)


def jobs(store: Store) -> list[JobRow]:
    with store.read() as session:
        return list(session.scalars(select(JobRow).order_by(JobRow.created_at)))


def test_what_is_answered_is_on_record_without_secrets(store: Store) -> None:
    async def go() -> None:
        t = tenant(store)
        deploy(store, t, "claim", CLAIM, secrets={"KEY": "hush-hush-hush"})
        deploy(store, t, "deny", DENY, runtime="python3")
        async with plane(store) as here, here.hub.reader(t) as reader:
            found = outcome(await here.flows.invoke(t, "post-login", body("post-login"), traceparent=CALLER))
            assert found.decision == "deny"
            assert found.effects.id_token_claims == {"https://x.example/key": 14}
            live = await reader.next(1)
        with store.read() as session:
            (listed,) = list_executions(session, t, Filters(action="claim", decision="deny"), 0, 10).items
            assert list_executions(session, "other", Filters(), 0, 10).items == []
            assert list_executions(session, t, Filters(action="cla%"), 0, 10).items == []
            whole = get_execution(session, t, found.execution_id)
        assert live is not None
        assert live.item == listed
        assert listed["id"] == found.execution_id
        assert (listed["status"], listed["trace_id"]) == ("final", TRACE)
        assert [item["logs"][0]["text"] for item in listed["results"][:1]] == ["secret is [secret KEY]"]
        assert "hush" not in json.dumps(whole)

    asyncio.run(go())


def test_a_deploy_is_seen_by_the_next_invoke(store: Store) -> None:
    async def go() -> None:
        t = tenant(store)
        async with plane(store) as here:
            assert outcome(await here.flows.invoke(t, "post-login", body("post-login"))).actions == ()
            deploy(store, t, "deny", DENY, runtime="python3")
            assert outcome(await here.flows.invoke(t, "post-login", body("post-login"))).decision == "deny"
            deploy(store, t, "deny", DENY.replace('"no"', '"again"'), runtime="python3")
            denied = outcome(await here.flows.invoke(t, "post-login", body("post-login")))
            assert denied.effects.denial is not None
            assert denied.effects.denial.reason == "again"

    asyncio.run(go())


def test_nothing_stored_holds_a_secret_or_resumes_a_flow(store: Store) -> None:
    """Not while it waits either, with an answer kept for its Idempotency-Key."""
    secret = "hush-hush-hush-hush-hush-hush-hush"
    ask = """
    exports.onExecutePostLogin = async (event, api) => {
      const token = api.redirect.encodeToken({ secret: event.secrets.KEY, payload: { a: 1 } });
      console.log(token);
      api.user.setUserMetadata("key", event.secrets.KEY);
      api.redirect.sendUserTo("https://x.example/ask", { query: { token } });
    };
    exports.onContinuePostLogin = async (event, api) => {
      api.idToken.setCustomClaim("https://x.example/key", event.secrets.KEY);
    };
    """

    def stored() -> str:
        with store.read() as session:
            rows = [row for table in Base.metadata.sorted_tables for row in session.execute(select(table))]
            return "\n".join(repr(row).replace(ask, "").replace(repr(ask), "") for row in rows)

    async def go() -> None:
        t = tenant(store)
        deploy(store, t, "ask", ask, secrets={"KEY": secret})
        async with plane(store) as here, here.hub.reader(t) as reader:
            slot = await here.idempotency.begin(t, "/p", "key", b"{}")
            assert isinstance(slot, Slot)
            asked = outcome(await here.flows.invoke(t, "post-login", body("post-login"), slot=slot))
            assert asked.suspension is not None
            assert asked.effects.redirect is not None
            assert asked.effects.user_metadata == {"key": secret}
            token = asked.actions[0].logs[0].text
            resumes = (asked.suspension.handle, asked.suspension.state, asked.effects.redirect.url, token)
            live = await reader.next(1)
            assert live is not None
            for text in (stored(), live.text):
                assert asked.execution_id in text
                assert [item for item in (secret, *resumes) if item in text] == []
            request = {
                **get_trigger("post-login").example_event["request"],
                "query": {"state": asked.suspension.state},
            }
            again = ResumeBody(handle=asked.suspension.handle, request=request)
            resumed = outcome(await here.flows.resume(t, again))
            assert resumed.effects.id_token_claims == {"https://x.example/key": secret}
            assert secret not in stored()

    asyncio.run(go())


def test_a_suspended_flow_goes_on_with_its_versions_and_secrets_on_another_replica(store: Store) -> None:
    async def go() -> None:
        t = tenant(store)
        deploy(store, t, "ask", ASK, secrets={"KEY": "first"})
        async with plane(store) as here, plane(store) as there:
            asked = outcome(await here.flows.invoke(t, "post-login", body("post-login")))
            assert asked.suspension is not None
            deploy(store, t, "ask", "exports.onExecutePostLogin = async () => {};", secrets={"KEY": "second"})
            request = {
                **get_trigger("post-login").example_event["request"],
                "query": {"state": asked.suspension.state, "answer": "yes"},
            }
            again = ResumeBody(handle=asked.suspension.handle, request=request)
            resumed = outcome(await there.flows.resume(t, again))
            assert resumed.effects.id_token_claims == {"https://x.example/key": "first!yes"}
            assert resumed.execution_id == asked.execution_id
            for tenant_id, code in ((t, "handle_used"), ("other", "unknown_handle")):
                with pytest.raises(ResumeError) as caught:
                    await here.flows.resume(tenant_id, again)
                assert caught.value.code == code
        with store.read() as session:
            whole = get_execution(session, t, asked.execution_id)
        assert whole is not None
        assert [result["action_name"] for result in whole["results"]] == ["ask", "ask"]

    asyncio.run(go())


def test_an_asynchronous_trigger_is_stored_at_once_and_run_later(store: Store) -> None:
    async def go() -> None:
        t = tenant(store)
        code = "exports.onExecutePostUserRegistration = async (event) => console.log(event.user.email);"
        deploy(store, t, "hello", code, trigger="post-user-registration")
        async with plane(store) as here:
            answer = await here.flows.invoke(t, "post-user-registration", body("post-user-registration"))
            assert answer.status == 202
            execution_id = json.loads(answer.text)["execution_id"]
            with pytest.raises(EventError):
                await here.flows.invoke(t, "post-user-registration", InvokeBody(event={}))
            with store.read() as session:
                assert session.get(ExecutionRow, (t, execution_id)).status == "pending"
            async with working(here):
                await eventually(lambda: [job.state for job in jobs(store)] == [DONE])
        with store.read() as session:
            whole = get_execution(session, t, execution_id)
        assert whole is not None
        assert whole["status"] == "final"
        assert whole["results"][0]["logs"][0]["text"] == "maya.okafor@harbor.example"

    asyncio.run(go())


def test_a_delivery_that_fails_is_tried_four_times_under_one_id_and_kept(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once = {(FLOW, "event-stream"): Policy(pauses=(0.0, 0.0, 0.0)), (FLOW, ""): Policy()}
    monkeypatch.setattr("runner.jobs.policy.POLICIES", at_once)

    async def go() -> None:
        t = tenant(store)
        code = 'exports.onExecuteEventStream = async () => { throw new Error("down"); };'
        action = deploy(store, t, "sink", code, trigger="event-stream", bind=False)
        async with plane(store) as here:
            nobody = await here.flows.invoke(t, "event-stream", body("event-stream"))
            assert json.loads(nobody.text)["deliveries"] == []
            assert jobs(store) == []
            with pytest.raises(UnknownActionError):
                await here.flows.invoke(t, "event-stream", body("event-stream", action_id="nobody"))
            answer = await here.flows.invoke(t, "event-stream", body("event-stream", action_id=action))
            async with working(here):
                await eventually(lambda: jobs(store)[0].state == DEAD)
            (job,) = jobs(store)
            assert job.attempts == 4
            assert "down" in (job.last_error or "")
            with store.begin() as session:
                assert here.queue.revive(session, t, job.id)
            async with working(here):
                await eventually(lambda: jobs(store)[0].state == DEAD)
        with store.read() as session:
            whole = get_execution(session, t, json.loads(answer.text)["execution_id"])
        assert whole is not None
        assert len(whole["results"]) == 8

    asyncio.run(go())


def test_a_notification_is_tried_again_because_its_action_asks_for_it(store: Store) -> None:
    async def go() -> None:
        t = tenant(store)
        code = 'exports.onExecuteCustomPhoneProvider = async (e, api) => { api.notification.retry("busy"); };'
        deploy(store, t, "sms", code, trigger="custom-phone-provider")
        async with plane(store) as here:
            found = outcome(
                await here.flows.invoke(t, "custom-phone-provider", body("custom-phone-provider"))
            )
            assert found.effects.notification is not None
            assert found.effects.notification.outcome == "retry"
        (job,) = jobs(store)
        assert (job.kind, job.execution_id, job.state) == ("notification", found.execution_id, "ready")

    asyncio.run(go())


def test_the_same_request_sent_again_runs_nothing(store: Store) -> None:
    async def invoke(here: Plane, t: str) -> StoredResponse:
        slot = await here.idempotency.begin(t, "/p", "key", b"body")
        if isinstance(slot, StoredResponse):
            return slot
        answer = await here.flows.invoke(t, "post-login", body("post-login"), slot=slot)
        here.idempotency.settle(slot, answer)
        return answer

    async def go() -> None:
        t = tenant(store)
        deploy(store, t, "deny", DENY, runtime="python3")
        async with plane(store) as here:
            first = await invoke(here, t)
            assert await invoke(here, t) == first
            assert not isinstance(first, Slot)
        with store.read() as session:
            assert len(list_executions(session, t, Filters(), 0, 10).items) == 1

    asyncio.run(go())
