"""Versions: deploy, list, compare, roll back, and the most there may be."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from runner.model.caps import MAX_VERSIONS
from runner.store.tables.models import ActionRow, ActionVersionRow, SecretRow
from tests.serving.server import HANDLER, Client, Server, waiting_flow
from triggers import get_trigger


def redeployed(client: Client, action_id: str, **fields: object) -> dict[str, object]:
    """Change the draft, build it, deploy it; the version."""
    assert client.call("PATCH", f"/actions/{action_id}", fields).status == 200
    reply = client.call("POST", f"/actions/{action_id}/deploy", wait=True)
    assert reply.status == 200, reply
    version: dict[str, object] = reply.json
    return version


def test_newest_first_and_past_the_end(client: Client) -> None:
    action = client.deployed()
    redeployed(client, action["id"], code=HANDLER + "// 2")
    listed = client.get(f"/actions/{action['id']}/versions", page=0, per_page=50)
    assert [item["number"] for item in listed["versions"]] == [2, 1]
    assert [item["deployed"] for item in listed["versions"]] == [True, False]
    assert (listed["total"], listed["page"], listed["per_page"]) == (2, 0, 50)
    past = client.get(f"/actions/{action['id']}/versions", page=1, per_page=50)
    assert past == {"versions": [], "total": 0, "page": 1, "per_page": 50}
    one = client.get(f"/actions/{action['id']}/versions/{listed['versions'][1]['id']}")
    assert (one["code"], one["number"], one["action_id"]) == (HANDLER, 1, action["id"])


def test_roll_back_makes_a_new_version(client: Client) -> None:
    action = client.deployed(secrets=[{"name": "A", "value": "old"}])
    first = action["deployed_version"]["id"]
    redeployed(client, action["id"], code=HANDLER + "// 2", secrets=[{"name": "B", "value": "new"}])
    path = f"/actions/{action['id']}/versions/{first}/deploy"

    plain = client.call("POST", path)
    assert (plain.status, plain.json["number"], plain.json["code"]) == (200, 3, HANDLER)
    assert [item["name"] for item in plain.json["secrets"]] == ["A"]
    now_there = client.get(f"/actions/{action['id']}")
    assert (now_there["code"], now_there["all_changes_deployed"]) == (HANDLER + "// 2", False)
    assert [item["name"] for item in now_there["secrets"]] == ["B"]

    with_draft = client.call("POST", path, {"update_draft": True})
    assert with_draft.json["number"] == 4
    now_there = client.get(f"/actions/{action['id']}")
    assert (now_there["code"], now_there["status"]) == (HANDLER, "built")
    assert now_there["all_changes_deployed"] is True
    assert [item["name"] for item in now_there["secrets"]] == ["A"]


@pytest.mark.parametrize("raw", [b"", b"null", b"{}"])
def test_a_body_is_not_needed(client: Client, raw: bytes) -> None:
    action = client.deployed()
    version = action["deployed_version"]["id"]
    assert client.call("POST", f"/actions/{action['id']}/deploy", raw=raw).status == 200
    assert client.call("POST", f"/actions/{action['id']}/versions/{version}/deploy", raw=raw).status == 200
    assert client.call("GET", f"/actions/{action['id']}", raw=raw).status == 200


def test_compare(client: Client) -> None:
    action = client.deployed(code="a\nb\nc\n// " + HANDLER, runtime="node18")
    redeployed(client, action["id"], code="a\nB\nc\n// " + HANDLER, runtime="node22")
    client.call("PATCH", f"/actions/{action['id']}", {"secrets": [{"name": "S", "value": "hidden-value"}]})
    two = client.get(f"/actions/{action['id']}/versions/1/diff/2")
    assert two["code"].splitlines()[:2] == ["--- version 1", "+++ version 2"]
    assert {"-b", "+B"} <= set(two["code"].splitlines())
    assert two["changes"] == {"runtime": {"from": "node18", "to": "node22"}}
    draft = client.get(f"/actions/{action['id']}/versions/2/diff/draft")
    assert (draft["code"], draft["changes"]) == ("", {"secrets": {"from": [], "to": ["S"]}})
    assert client.call("GET", f"/actions/{action['id']}/versions/1/diff/9").status == 404


def test_the_oldest_unused_goes(client: Client, server: Server) -> None:
    action = client.deployed(secrets=[{"name": "A", "value": "1"}])
    first = action["deployed_version"]["id"]
    second = client.call("POST", f"/actions/{action['id']}/deploy").json["id"]
    with server.service.store.begin() as session:
        session.add(waiting_flow(client, first))
    with server.service.store.begin() as session:
        row = session.get_one(ActionRow, (client.tenant, action["id"]))
        source = session.get_one(ActionVersionRow, (client.tenant, second))
        for number in range(3, MAX_VERSIONS + 1):
            session.add(
                ActionVersionRow(
                    tenant_id=client.tenant,
                    action_id=row.id,
                    number=number,
                    code="",
                    runtime=source.runtime,
                    trigger_id=source.trigger_id,
                    trigger_version=source.trigger_version,
                )
            )
        row.next_number = MAX_VERSIONS + 1
    assert client.get(f"/actions/{action['id']}/versions")["total"] == MAX_VERSIONS
    assert client.call("POST", f"/actions/{action['id']}/deploy").json["number"] == MAX_VERSIONS + 1
    listed = client.get(f"/actions/{action['id']}/versions", per_page=100)
    ids = [item["id"] for item in listed["versions"]]
    assert len(ids) == MAX_VERSIONS
    assert first in ids, "a suspended flow goes on with it"
    assert second not in ids
    with server.service.store.read() as session:
        rows = session.scalars(select(ActionVersionRow.id).where(ActionVersionRow.action_id == action["id"]))
        owners = session.scalars(select(SecretRow.owner_id).where(SecretRow.owner_id == second))
        assert (len(rows.all()), owners.all()) == (MAX_VERSIONS, [])


def test_versions_of_others_are_not_found(client: Client, server: Server) -> None:
    mine, other = client.deployed(), client.deployed()
    foreign = server.client()
    version = other["deployed_version"]["id"]
    for caller, path in (
        (client, f"/actions/{mine['id']}/versions/{version}"),
        (client, f"/actions/{mine['id']}/versions/nonsense"),
        (foreign, f"/actions/{other['id']}/versions/{version}"),
        (foreign, f"/actions/{other['id']}/versions"),
        (foreign, f"/actions/{other['id']}/versions/1/diff/1"),
    ):
        reply = caller.call("GET", path)
        assert (reply.status, reply.json["error"]) == (404, "Not Found")
    assert foreign.call("POST", f"/actions/{other['id']}/versions/{version}/deploy").status == 404


def test_many_at_once(client: Client) -> None:
    """Deploys and bindings of one trigger from several clients at once, as a deploy tool sends them: each is
    made once, none fails."""
    actions = [client.create(f"a{index}") for index in range(6)]
    paths = [f"/actions/{action['id']}/deploy" for action in actions] * 2
    with ThreadPoolExecutor(12) as pool:
        replies = list(pool.map(lambda path: client.call("POST", path), paths))
    assert [reply.status for reply in replies] == [200] * 12
    for action in actions:
        numbers = [item["number"] for item in client.get(f"/actions/{action['id']}/versions")["versions"]]
        assert numbers == [2, 1]
    orders = [actions[index:] + actions[:index] for index in range(6)]
    with ThreadPoolExecutor(6) as pool:
        bound = list(pool.map(lambda order: client.bind(*order), orders))
    assert [len(bindings) for bindings in bound] == [6] * 6
    listed = client.get("/triggers/post-login/bindings")
    assert listed["total"] == 6
    assert [item["id"] for item in listed["bindings"]] in [[item["id"] for item in order] for order in bound]

    def work(number: int) -> int:
        if number % 2:
            body = [{"ref": {"type": "action_id", "value": item["id"]}} for item in orders[number // 2]]
            return client.call("PATCH", "/triggers/post-login/bindings", {"bindings": body}).status
        return client.call("POST", paths[number // 2]).status

    with ThreadPoolExecutor(12) as pool:
        assert list(pool.map(work, range(12))) == [200] * 12


def test_programs_of_a_version_that_was_deployed_over_are_released(whole: Server) -> None:
    client = whole.client()
    action = client.deployed(code=f"// first {client.tenant}\n{HANDLER}")
    client.bind(action)
    body = {"event": get_trigger("post-login").example_event}

    def sources() -> int:
        return sum(worker.sources for worker in whole.app.state.plane.workers.stats().workers)

    assert client.call("POST", "//runtime/v1/triggers/post-login/invoke", body).status == 200
    client.call("PATCH", f"/actions/{action['id']}", {"code": f"// second {client.tenant}\n{HANDLER}"})
    client.settled(action["id"])
    before = sources()
    assert client.call("POST", f"/actions/{action['id']}/deploy").status == 200
    deadline = time.monotonic() + 30
    while sources() != before - 1:
        assert time.monotonic() < deadline, (before, sources())
        time.sleep(0.02)
    assert client.call("POST", "//runtime/v1/triggers/post-login/invoke", body).status == 200
