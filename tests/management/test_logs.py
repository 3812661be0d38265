"""The tenant's log: which executions it tells of, in which words, and how it is read on."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.management.logs.entries import KINDS, LogPosition
from runner.model import caps
from runner.store.tables.runs import ExecutionAction, ExecutionRow
from tests.serving.entities import refused
from tests.serving.server import Client, Server
from triggers import get_trigger

LOGS = "//api/v2/logs"
START = datetime(2026, 3, 1, 12, tzinfo=UTC)


def record(
    server: Server, client: Client, number: int, trigger: str, decision: str | None, *failures: str
) -> str:
    """An execution that was recorded `number` seconds after `START`; its id. `failures`: codes."""
    at = START + timedelta(seconds=number)
    results: list[dict[str, Any]] = [
        {
            "action_name": f"a{index}",
            "action_id": str(uuid.uuid4()),
            "version_id": str(uuid.uuid4()),
            "error": {"id": code, "msg": "broken (a.js:2)"},
            "failure": {
                "name": "TypeError",
                "message": "broken",
                "stack": ["at f (a.js:2)", "at g (a.js:9)"],
            },
        }
        for index, code in enumerate(failures)
    ]
    with server.service.store.begin() as session:
        session.add(
            ExecutionRow(
                tenant_id=client.tenant,
                id=f"e{number}",
                trigger_id=trigger,
                status="final",
                decision=decision,
                results=results,
                created_at=at,
                updated_at=at,
                expires_at=at,
            )
        )
        session.flush()
        for index, result in enumerate(results):
            session.add(
                ExecutionAction(
                    tenant_id=client.tenant,
                    execution_id=f"e{number}",
                    position=index,
                    action_id=result["action_id"],
                    action_name=result["action_name"],
                    failed=True,
                    recorded_at=at,
                )
            )
    return f"e{number}"


def types(entries: list[dict[str, Any]]) -> list[str]:
    return [entry["type"] for entry in entries]


def test_what_ran_is_told_with_its_failures(whole: Server) -> None:
    client = whole.client()
    code = "exports.onExecutePostLogin = async () => {\n  null.x;\n};\n"
    action = client.deployed("breaks", code=code)
    (binding,) = client.bind(action)
    event = get_trigger("post-login").example_event
    invoke = "//runtime/v1/triggers/post-login/invoke"
    failed = client.call("POST", invoke, {"event": event}).json["execution_id"]
    client.bind()
    went_well = client.call("POST", invoke, {"event": event}).json["execution_id"]
    newest, failure, login = client.get(LOGS)
    assert types([newest, failure, login]) == ["s", "actions_execution_failed", "f"]
    assert newest["details"]["actions"] == {"executions": [went_well]}
    assert login["details"]["actions"] == {"executions": [failed]}
    found = dict(failure["details"])
    error = found.pop("action_error")
    assert found == {
        "trigger_id": "post-login",
        "execution_id": failed,
        "action_id": action["id"],
        "action_name": "breaks",
        "version_id": action["deployed_version"]["id"],
        "version_number": 1,
        "binding_id": binding["id"],
        "error_class": "action_error",
    }
    assert (error["name"], error["code"]) == ("TypeError", "throw")
    assert "of null" in error["message"]
    assert re.fullmatch(r"at .+ \(breaks\.js:2\)(\n.*)*", error["stack"])
    assert failure["date"] == login["date"]
    for entry in (newest, failure, login):
        assert client.get(f"{LOGS}/{entry['log_id']}") == entry
    execution = client.get(f"/executions/{failed}")
    assert set(execution["results"][0]["error"]) == {"id", "msg"}


@pytest.mark.parametrize(
    ("trigger", "decision", "kind"),
    [
        ("post-login", "allow", "s"),
        ("post-login", "deny", "f"),
        ("post-login", "failed", "f"),
        ("post-login", "suspended", None),
        ("post-login", None, None),
        ("credentials-exchange", "allow", "seccft"),
        ("credentials-exchange", "deny", "feccft"),
        ("pre-user-registration", "allow", "ss"),
        ("pre-user-registration", "deny", "fs"),
        ("post-user-registration", "failed", "ss"),
        ("post-change-password", "failed", "scp"),
        ("custom-token-exchange", "deny", "fecte"),
        ("post-credential-validation", "allow", None),
        ("post-credential-validation", "deny", "f"),
        ("post-credential-validation", "failed", "f"),
        ("event-stream", "allow", None),
    ],
)
def test_types(embedded: Server, trigger: str, decision: str | None, kind: str | None) -> None:
    client = embedded.client()
    execution = record(embedded, client, 1, trigger, decision)
    assert types(client.get(LOGS)) == ([kind] if kind else [])
    assert client.call("GET", f"{LOGS}/{LogPosition(START, execution, 0)}").status == (200 if kind else 404)


@pytest.mark.parametrize(
    ("code", "error_class"),
    [
        ("throw", "action_error"),
        ("memory", "action_error"),
        ("timeout", "action_timeout"),
        ("internal", "platform_error"),
    ],
)
def test_classes_of_errors(embedded: Server, code: str, error_class: str) -> None:
    client = embedded.client()
    record(embedded, client, 1, "event-stream", "failed", code)
    (entry,) = client.get(LOGS)
    assert entry["details"]["error_class"] == error_class
    assert entry["details"]["action_error"] == {
        "name": "TypeError",
        "message": "broken",
        "code": code,
        "stack": "at f (a.js:2)\nat g (a.js:9)",
    }
    assert "binding_id" not in entry["details"]


def test_pages(server: Server) -> None:
    client = server.client()
    record(server, server.client(), 1, "post-login", "allow")
    for number in range(1, 4):
        record(server, client, number, "post-login", "failed", "throw", "throw")
    whole = client.get(LOGS)
    assert types(whole) == ["actions_execution_failed", "actions_execution_failed", "f"] * 3
    assert [entry["date"] for entry in whole] == sorted((entry["date"] for entry in whole), reverse=True)
    assert len({entry["log_id"] for entry in whole}) == 9
    assert client.get(LOGS, sort="date:1") == whole[::-1]
    parts = [client.get(LOGS, page=number, per_page=4) for number in range(4)]
    assert [entry for part in parts for entry in part] == whole
    assert [len(part) for part in parts] == [4, 4, 1, 0]
    counted = client.get(LOGS, page=1, per_page=4, include_totals=True)
    assert counted == {"start": 4, "limit": 4, "length": 4, "total": 9, "logs": whole[4:8]}
    brief = client.get(LOGS, fields="type,log_id", per_page=1)
    assert brief == [{"type": whole[0]["type"], "log_id": whole[0]["log_id"]}]
    (rest,) = client.get(LOGS, fields="details", include_fields=False, per_page=1)
    assert set(rest) == set(whole[0]) - {"details"}


def test_reading_on_from_a_checkpoint(server: Server) -> None:
    client = server.client()
    for number in range(1, 4):
        record(server, client, number, "post-login", "failed", "throw")
    whole = client.get(LOGS, sort="date:1")
    seen: list[dict[str, Any]] = []
    reply = client.call("GET", LOGS, take=4)
    while reply.json:
        seen += reply.json
        link = re.fullmatch(r'<.*/api/v2/logs\?from=(.+)&take=4>; rel="next"', reply.headers["Link"])
        assert link is not None
        assert link[1] == seen[-1]["log_id"]
        query: dict[str, Any] = {"take": 4, "from": link[1], "page": 7, "q": "nonsense"}
        reply = client.call("GET", LOGS, **query)
        if len(seen) == 4:
            record(server, client, 9, "post-login", "allow")
    assert seen == [*whole, client.get(LOGS)[0]]
    assert "Link" not in reply.headers
    other = server.client()
    assert other.get(LOGS, **{"from": whole[0]["log_id"]}) == []
    assert refused(other.call("GET", f"{LOGS}/{whole[0]['log_id']}")) == (404, "That log does not exist.")


def test_searching(server: Server) -> None:
    client = server.client()
    record(server, client, 1, "post-login", "allow")
    record(server, client, 2, "post-login", "failed", "throw")
    record(server, client, 3, "credentials-exchange", "allow")
    for q, wanted in (
        ("type:s", ["s"]),
        ('type:"actions_execution_failed"', ["actions_execution_failed"]),
        ("type:(s OR seccft)", ["seccft", "s"]),
        ("type:f AND date:[2026-03-01T12:00:02Z TO *]", ["f"]),
        ("date:[2026-03-01 TO 2026-03-01T12:00:01Z]", ["s"]),
        ("date:[2026-03-02 TO *]", []),
        ("type:nothing", []),
        ("type:s AND type:f", []),
        ("", ["seccft", "actions_execution_failed", "f", "s"]),
    ):
        query = q.replace(" ", "%20").replace('"', "%22")
        found = client.call("GET", f"{LOGS}?q={query}")
        assert types(found.json) == wanted, q
        counted = client.call("GET", f"{LOGS}?include_totals=true&per_page=1&q={query}").json
        assert counted["total"] == len(wanted)


@pytest.mark.parametrize(
    "query",
    [
        {"q": "user_id:x"},
        {"q": "type:(s"},
        {"q": "date:[yesterday TO *]"},
        {"q": "x" * (caps.MAX_LOG_QUERY + 1)},
        {"search": "maya"},
        {"sort": "type:1"},
        {"from": "123"},
        {"from": "1" * (caps.MAX_CURSOR + 1)},
        {"per_page": 101},
        {"take": 0},
        {"page": caps.MAX_LOG_PAGED // 100, "per_page": 100},
        {"more": 1},
    ],
)
def test_what_is_refused(embedded: Server, query: dict[str, Any]) -> None:
    reply = embedded.client().call("GET", LOGS, **query)
    assert (reply.status, reply.json["errorCode"]) == (400, "invalid_query_string")


def test_the_longest_search(embedded: Server) -> None:
    q = "type:" + "x" * (caps.MAX_LOG_QUERY - 5)
    assert embedded.client().get(LOGS, q=q) == []


def test_every_type_is_described(embedded: Server) -> None:
    client = embedded.client()
    for number, trigger in enumerate(KINDS):
        record(embedded, client, 2 * number, trigger, "allow")
        record(embedded, client, 2 * number + 1, trigger, "deny")
    found = client.get(LOGS)
    assert len(found) == sum(2 if kinds.good else 1 for kinds in KINDS.values())
    assert all(entry["description"] for entry in found)


@given(
    st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1)),
    st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True),
    st.integers(0, 2**31 - 1),
)
def test_ids_lead_back_to_places(at: datetime, execution: str, slot: int) -> None:
    place = LogPosition(at.replace(tzinfo=UTC), execution, slot)
    assert LogPosition.of(str(place)) == place if slot < 10**9 else LogPosition.of(str(place)) is None


@given(st.text(max_size=100))
def test_other_texts_are_no_ids(text: str) -> None:
    found = LogPosition.of(text)
    assert found is None or str(found) == text


def test_as_far_as_pages_reach(embedded: Server) -> None:
    client = embedded.client()
    with embedded.service.store.begin() as session:
        for number in range(caps.MAX_LOG_PAGED + 1):
            session.add(
                ExecutionRow(
                    tenant_id=client.tenant,
                    id=f"e{number}",
                    trigger_id="post-login",
                    status="final",
                    decision="allow",
                    results=[],
                    updated_at=START + timedelta(seconds=number),
                    expires_at=START,
                )
            )
    last = client.get(LOGS, page=caps.MAX_LOG_PAGED // 100 - 1, per_page=100, include_totals=True)
    assert (last["total"], last["length"]) == (caps.MAX_LOG_PAGED, 100)
    assert last["logs"][-1]["details"]["actions"]["executions"] == ["e1"]


def test_entries_of_one_moment_are_all_read(server: Server) -> None:
    """Ids differ only where collations disagree with bytes."""
    client = server.client()
    ids = ["a-b", "aB", "ab", "A-B", "AB", "a_b"]
    with server.service.store.begin() as session:
        for name in ids:
            result = {"action_name": "a", "action_id": str(uuid.uuid4()), "version_id": str(uuid.uuid4())}
            results = [{**result, "error": {"id": "throw", "msg": "x"}}]
            session.add(
                ExecutionRow(
                    tenant_id=client.tenant,
                    id=name,
                    trigger_id="post-login",
                    status="final",
                    decision="failed",
                    results=results,
                    updated_at=START,
                    expires_at=START,
                )
            )
            session.add(
                ExecutionAction(
                    tenant_id=client.tenant,
                    execution_id=name,
                    position=0,
                    action_id="x",
                    action_name="a",
                    failed=True,
                    recorded_at=START,
                )
            )
    seen: list[dict[str, Any]] = []
    query: dict[str, Any] = {"take": 1}
    while part := client.get(LOGS, **query):
        seen += part
        query = {"take": 1, "from": part[-1]["log_id"]}
    assert len({entry["log_id"] for entry in seen}) == len(seen) == 2 * len(ids)
    assert client.get(LOGS, sort="date:1") == seen
    paged = [client.get(LOGS, page=number, per_page=5) for number in range(3)]
    assert [entry for part in paged for entry in part] == seen[::-1]
