"""Records over HTTP with a real worker: who sees them, in which form, why one is not there, how they go."""

from __future__ import annotations

import json
import time
import uuid
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from runner.jobs.cleaner import Cleaner
from runner.replay.execution_record import checked_execution_record
from runner.replay.replay import replay
from runner.runtime.routes import Runtime
from runner.store.tables.columns import now
from runner.store.tables.models import AuditRow
from runner.store.tables.records import RecordRow, RecordSubjectRow
from runner.store.tables.runs import ExecutionRow, SuspensionRow
from tests.records.planes import LOGIN
from tests.serving.server import Client, Reply, Server
from triggers import get_trigger

POLICY = "//api/v2/record-policy"
USER = "auth0|66b1f0c2a94d7e0012c3ab45"
QUIET = LOGIN.replace('"secret is", event.secrets.KEY, ', "")


@pytest.fixture(scope="module")
def owner(whole: Server) -> Client:
    """Of a tenant whose failures and denials are recorded."""
    client = whole.client()
    client.bind(client.deployed(code=QUIET))
    assert client.call("PATCH", POLICY, {"policy": "failures, denials"}).status == 200
    return client


def runtime(whole: Server) -> Runtime:
    found: Runtime = whole.app.state.runtime
    return found


def login(client: Client, do: str = "", user: str = USER, trigger: str = "post-login") -> dict[str, Any]:
    event = json.loads(json.dumps(get_trigger(trigger).example_event))
    event["request"] = {**event["request"], "query": {"do": do}}
    if "user" in event:
        event["user"]["user_id"] = user
    reply = client.call("POST", f"//runtime/v1/triggers/{trigger}/invoke", {"event": event})
    assert reply.status == 200, reply
    found: dict[str, Any] = reply.json
    return found


def record(client: Client, execution_id: str, **query: Any) -> Reply:
    headers = query.pop("headers", None)
    return client.call("GET", f"//runtime/v1/executions/{execution_id}/record", headers=headers, **query)


def revealed(client: Client, execution_id: str) -> Reply:
    return record(client, execution_id, form="plain", reason="ticket 17")


def audited(whole: Server, client: Client, operation: str) -> list[AuditRow]:
    with whole.service.store.read() as session:
        mine = (AuditRow.tenant_id == client.tenant, AuditRow.operation == operation)
        return list(session.scalars(select(AuditRow).where(*mine).order_by(AuditRow.id)))


def test_a_denied_login_is_had_at_once_and_runs_again(whole: Server, owner: Client) -> None:
    denied = login(owner, "deny")
    reply = revealed(owner, denied["execution_id"])
    assert reply.status == 200, reply
    assert reply.headers["Cache-Control"] == "no-store"
    found = checked_execution_record(reply.json, "the answer")
    assert (found.kept_because, found.form, found.tenant) == ("denials", "plain", owner.tenant)
    assert found.policy == {"failures": True, "denials": True, "sample": 0.0, "all": False}
    (leg,) = found.legs
    assert leg.context is not None
    assert leg.context.versions[0].version_id
    again = replay(leg)
    assert again.same, (again.divergences, again.differences)
    (row,) = audited(whole, owner, "record.reveal")
    assert (row.object_id, row.reason) == (denied["execution_id"], "ticket 17")
    assert row.actor == owner.credentials.client_id


def test_each_form_needs_its_scope_and_the_plain_one_a_reason(whole: Server, owner: Client) -> None:
    execution_id = login(owner, "fail")["execution_id"]
    before = len(audited(whole, owner, "record.reveal"))
    everything = ["read:executions", "invoke:triggers", "read:logs", "manage:jobs", "read:actions"]
    for scopes in (everything, [*everything, "reveal:execution_data"]):
        assert revealed(whole.client(owner.tenant, scopes), execution_id).status == 403
    reader = whole.client(owner.tenant, ["read:execution_data"])
    for query in ({"form": "plain", "reason": "why"}, {"reason": "why"}):
        refused = record(reader, execution_id, **query)
        assert (refused.status, refused.json["errorCode"]) == (403, "insufficient_scope")
        assert "reveal:execution_data" in refused.json["message"]
    plain = whole.client(owner.tenant, ["read:execution_data", "reveal:execution_data"])
    for query in ({"form": "plain"}, {"form": "plain", "reason": "%20%20"}, {"reason": ""}):
        refused = record(plain, execution_id, **query)
        assert (refused.status, refused.json["errorCode"]) == (400, "reason_required"), query
    assert record(plain, execution_id, reason="x" * 501).status == 400
    assert record(plain, execution_id, form="redacted", reason="why").status == 400
    assert record(plain, execution_id, form="naked").status == 400
    assert len(audited(whole, owner, "record.reveal")) == before
    given = record(plain, execution_id, headers={"Reveal-Reason": "ticket 18"})
    assert (given.status, given.json["form"]) == (200, "plain")
    assert [row.reason for row in audited(whole, owner, "record.reveal")][before:] == ["ticket 18"]


def test_nothing_is_shown_plain_without_a_reason(owner: Client) -> None:
    reply = record(owner, login(owner, "deny")["execution_id"])
    if reply.status == 200:
        assert reply.json["form"] == "redacted"
    assert "maya.okafor" not in json.dumps(reply.json)
    assert USER not in json.dumps(reply.json)


def test_what_is_not_there_says_why(whole: Server, owner: Client) -> None:
    store = whole.service.store
    unknown = revealed(owner, str(uuid.uuid4()))
    assert (unknown.status, unknown.json["message"]) == (404, "That execution does not exist.")
    assert revealed(whole.client(), login(owner, "deny")["execution_id"]).json == unknown.json

    allowed = revealed(owner, login(owner)["execution_id"])
    assert (allowed.status, allowed.json["errorCode"]) == (404, "record_not_kept")
    assert '"failures,denials"' in allowed.json["message"]

    def change(execution_id: str, **values: Any) -> None:
        with store.begin() as session:
            mine = (ExecutionRow.tenant_id == owner.tenant, ExecutionRow.id == execution_id)
            session.execute(update(ExecutionRow).where(*mine).values(**values))

    lost = login(owner, "deny")["execution_id"]
    assert revealed(owner, lost).status == 200
    with store.begin() as session:
        session.execute(delete(RecordRow).where(RecordRow.execution_id == lost))
    reply = revealed(owner, lost)
    assert (reply.status, reply.json["errorCode"]) == (404, "record_lost")
    assert "denials" in reply.json["message"]
    change(lost, created_at=now() - timedelta(days=7.5))
    expired = revealed(owner, lost)
    assert (expired.status, expired.json["errorCode"]) == (410, "record_expired")
    assert "7 days" in expired.json["message"]
    change(lost, record=None)
    assert revealed(owner, lost).json["errorCode"] == "record_not_kept"

    asked = login(owner, "ask")["execution_id"]
    waits = revealed(owner, asked)
    assert (waits.status, waits.json["errorCode"]) == (404, "record_undecided")


def test_an_erased_user_is_gone_and_nobody_else(whole: Server) -> None:
    """Of every kind of execution that has a user, suspended ones too."""
    client = whole.client()
    client.bind(client.deployed(code=QUIET))
    code = (
        "exports.onExecuteCredentialsExchange = async (event, api) => { api.access.deny('invalid_scope'); };"
    )
    supported = [{"id": "credentials-exchange", "version": "v2"}]
    machine = client.deployed(code=code, supported_triggers=supported)
    client.bind(machine, trigger="credentials-exchange")
    client.call("PATCH", POLICY, {"policy": "all"})
    mine = [login(client, do, "auth0|erase/me")["execution_id"] for do in ("", "deny", "fail", "ask")]
    others = [login(client)["execution_id"], login(client, trigger="credentials-exchange")["execution_id"]]
    assert [revealed(client, item).status for item in (*mine, *others)] == [200] * 6

    reader = whole.client(client.tenant, ["read:execution_data", "reveal:execution_data"])
    path = "//runtime/v1/subjects/auth0|erase/me"
    assert reader.call("DELETE", path).status == 403
    stranger = whole.client()
    assert stranger.call("DELETE", path).json == {"executions": 0, "records": 0}
    reply = client.call("DELETE", path)
    assert (reply.status, reply.json) == (200, {"executions": 4, "records": 4})
    assert client.call("DELETE", path).json == {"executions": 0, "records": 0}
    for execution_id in mine:
        gone = revealed(client, execution_id)
        assert (gone.status, gone.json["errorCode"]) == (410, "record_erased")
    assert [revealed(client, item).status for item in others] == [200, 200]
    with whole.service.store.read() as session:
        rows = session.scalars(select(RecordRow).where(RecordRow.execution_id.in_(mine))).all()
        assert [(row.key, row.key_id, row.content, row.bytes) for row in rows] == [(None, None, None, 0)] * 4
        left = session.scalars(select(RecordSubjectRow).where(RecordSubjectRow.execution_id.in_(mine)))
        assert {row.execution_id for row in left} <= set(mine)
        assert not any("erase" in row.subject for row in session.scalars(select(RecordSubjectRow)))
        executions = session.scalars(select(ExecutionRow).where(ExecutionRow.id.in_(mine))).all()
        assert [row.outcome for row in executions] == [None] * 4
        texts = session.scalars(select(SuspensionRow.text).where(SuspensionRow.execution_id.in_(mine)))
        assert texts.all() == [None]
    listed = client.get(f"//runtime/v1/executions/{mine[2]}")
    assert (listed["decision"], listed["results"][0]["logs"]) == ("failed", [])
    assert listed["results"][0]["error"]["msg"] == "[erased]"
    notes = audited(whole, client, "record.erase")
    assert len(notes) == 2
    assert "erase/me" not in "".join(note.object_id for note in notes)


def test_the_cleaner_deletes_records_when_their_time_has_come(whole: Server, owner: Client) -> None:
    store = whole.service.store
    kept = login(owner, "deny")["execution_id"]
    assert revealed(owner, kept).status == 200
    reply = owner.call("PATCH", POLICY, {"days": 0.5})
    assert reply.json["days"] == 0.5
    soon = login(owner, "deny")["execution_id"]
    assert revealed(owner, soon).status == 200
    Cleaner(store, lambda: now() + timedelta(days=1)).clean()
    assert revealed(owner, kept).status == 200
    with store.read() as session:
        assert not session.scalars(select(RecordRow.id).where(RecordRow.execution_id == soon)).all()
        assert not session.scalars(
            select(RecordSubjectRow.subject).where(RecordSubjectRow.execution_id == soon)
        ).all()
    assert owner.call("PATCH", POLICY, {"days": None}).json["days"] == 7


def test_the_policy_is_the_tenants_to_choose(whole: Server) -> None:
    client = whole.client()
    found = client.get(POLICY)
    assert (found["policy"], found["days"]) == ("failures,denials,sample:0.05", 7)
    assert (found["used_bytes"], found["records"]) == (0, 0)
    changed = client.call("PATCH", POLICY, {"policy": " all ", "days": 2})
    assert (changed.json["policy"], changed.json["days"]) == ("all", 2)
    (action,) = client.bind(client.deployed(code=QUIET))
    first = login(client)["execution_id"]
    assert revealed(client, first).status == 200
    used = client.get(POLICY)
    assert used["records"] == 1
    assert 0 < used["used_bytes"] < used["quota_bytes"]
    for body in (
        {"policy": "everything"},
        {"policy": ""},
        {"policy": "off, all"},
        {"policy": 1},
        {"days": 0},
        {"days": 8},
        {"days": "2"},
        {"quota_bytes": 1},
    ):
        reply = client.call("PATCH", POLICY, body)
        assert (reply.status, reply.json["statusCode"]) == (400, 400), body
    assert client.call("PATCH", POLICY, {"policy": None}).json["policy"] == found["policy"]
    reader = whole.client(client.tenant, ["read:actions"])
    assert reader.call("PATCH", POLICY, {"policy": "all"}).status == 403

    def bind(**more: Any) -> Reply:
        item = {"ref": {"type": "binding_id", "value": action["id"]}, **more}
        return client.call("PATCH", "/triggers/post-login/bindings", {"bindings": [item]})

    assert bind(record="sample: 1").json["bindings"][0]["record"] == "sample:1"
    assert bind().json["bindings"][0]["record"] == "sample:1"
    assert revealed(client, login(client)["execution_id"]).json["kept_because"] == "sample"
    assert bind(record="often").status == 400
    assert "record" not in bind(record=None).json["bindings"][0]


def test_a_job_that_fails_again_and_again_is_recorded_each_time(whole: Server) -> None:
    client = whole.client()
    client.call("PATCH", POLICY, {"policy": "failures"})
    code = "exports.onExecutePostUserRegistration = async () => { throw new Error('down'); };"
    supported = [{"id": "post-user-registration", "version": "v2"}]
    action = client.deployed(code=code, supported_triggers=supported)
    client.bind(action, trigger="post-user-registration")
    event = get_trigger("post-user-registration").example_event
    reply = client.call("POST", "//runtime/v1/triggers/post-user-registration/invoke", {"event": event})
    assert reply.status == 202
    execution_id = reply.json["execution_id"]
    deadline = time.monotonic() + 60
    while client.get(f"//runtime/v1/executions/{execution_id}")["status"] == "pending":
        assert time.monotonic() < deadline
        time.sleep(0.05)
    found = revealed(client, execution_id)
    assert found.status == 200, found
    assert (found.json["trigger"], found.json["kept_because"]) == ("post-user-registration", "failures")
    user_id = event["user"]["user_id"]
    assert client.call("DELETE", f"//runtime/v1/subjects/{user_id}").json["executions"] == 1


def test_metrics_tell_what_was_kept(whole: Server, owner: Client) -> None:
    before = runtime(whole).recorder.stats()
    assert revealed(owner, login(owner, "deny")["execution_id"]).status == 200
    after = runtime(whole).recorder.stats()
    assert after.kept["denials"] == before.kept.get("denials", 0) + 1
    assert after.bytes > before.bytes
    assert after.queue == 0
    samples = {
        (sample.name, sample.labels.get("reason", "")): sample.value
        for family in whole.app.state.plane.metrics.registry.collect()
        for sample in family.samples
        if sample.name.startswith("actionbox_records")
    }
    assert samples["actionbox_records_kept", "denials"] == after.kept["denials"]
    assert samples["actionbox_records_queue", ""] == 0
