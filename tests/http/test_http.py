"""How paths, methods, queries and bodies are read: exactly, or refused in the documented form."""

from __future__ import annotations

import http.client
import json
import uuid
from typing import Any

import pytest

from runner.http.routing import api_routes
from runner.server.app import create_app
from tests.serving.server import Client, Server

LIST = "/api/v2/actions/actions"


@pytest.fixture
def client(whole: Server) -> Client:
    return whole.client()


def raw(client: Client, method: str, target: str) -> tuple[int, http.client.HTTPMessage, bytes]:
    """With the target exactly as it is."""
    host, _, port = client.url.removeprefix("http://").partition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=30)
    connection.putrequest(method, target)
    connection.putheader("Authorization", f"Bearer {client.token}")
    connection.endheaders()
    answer = connection.getresponse()
    found = answer.status, answer.msg, answer.read()
    connection.close()
    return found


def message(body: bytes, status: int) -> str:
    value = json.loads(body)
    assert value["statusCode"] == status
    return str(value["message"])


def test_head_is_get_without_a_body(client: Client) -> None:
    action = client.create()
    for path in (
        LIST,
        f"{LIST}/{action['id']}",
        "/api/v2/actions/triggers",
        "/runtime/v1/executions",
        "/health",
    ):
        head, get = (raw(client, method, path) for method in ("HEAD", "GET"))
        assert (head[0], get[0]) == (200, 200), path
        assert head[2] == b""
        assert head[1]["Content-Length"] == str(len(get[2]))
        for name in ("ETag", "Content-Type", "X-RateLimit-Limit"):
            assert head[1][name] == get[1][name], name
    assert raw(client, "HEAD", f"{LIST}/{uuid.uuid4()}")[0] == 404
    assert raw(client, "HEAD", "/oauth/token")[0] == 405
    assert raw(client, "HEAD", "/runtime/v1/logs/stream")[0] == 405, "its answer never ends"
    assert raw(Client(client.url, "", "x"), "HEAD", LIST)[0] == 401


def test_allow_names_every_method_of_the_path(whole: Server, client: Client) -> None:
    methods: dict[str, set[str]] = {}
    for route in api_routes(whole.app.routes):
        methods.setdefault(route.path, set()).update(route.methods or ())
    assert len(methods) > 25
    for path, known in methods.items():
        target = path.replace("{", "").replace("}", "")
        if target.endswith("/versions/version_id/diff/other_id") or "GET" not in known:
            continue
        status, headers, body = raw(client, "PATCH" if "PUT" in known else "PUT", target)
        assert (status, message(body, 405)) == (405, "This path does not take that method."), path
        assert set(headers["Allow"].split(", ")) == known | {"HEAD"}, path
    for method in ("OPTIONS", "TRACE", "FOO"):
        status, headers, _ = raw(client, method, LIST)
        assert (status, headers["Allow"]) == (405, "GET, HEAD, POST")
    assert raw(client, "GET", "/oauth/token")[1]["Allow"] == "POST"
    bare = create_app(whole.service)
    assert {route.path for route in api_routes(bare.routes)} < set(methods)


@pytest.mark.parametrize(
    "path",
    [
        f"{LIST}/",
        f"/{LIST}",
        "/api/v2//actions/actions",
        "/API/v2/actions/actions",
        f"{LIST}/%2e%2e/actions",
        f"{LIST}/../actions/",
        f"{LIST}/ID%2Fversions",
        f"{LIST}/ID%2fversions",
        "/api/v2/actions%2Factions",
        "/api/v2/actions/triggers/post-login%2Fbindings",
        "/runtime/v1/executions%2Fx",
    ],
)
def test_paths_are_taken_as_they_are(client: Client, path: str) -> None:
    action = client.create()
    status, _, body = raw(client, "GET", path.replace("ID", action["id"]))
    assert (status, message(body, status)) == (404, "There is no such path."), path


def test_other_spellings_of_an_id(client: Client) -> None:
    action = client.deployed()
    for spelled in (
        action["id"].upper(),
        action["id"].replace("-", "%2D"),
        f"%{ord(action['id'][0]):x}{action['id'][1:]}",
    ):
        status, _, body = raw(client, "GET", f"{LIST}/{spelled}")
        assert (status, json.loads(body)["id"]) == (200, action["id"])
    for other in (
        "%00",
        "%ff%fe",
        "a" * 5000,
        action["id"] + "%00",
        action["id"] + "%20",
        "{" + action["id"] + "}",
    ):
        status, _, body = raw(client, "GET", f"{LIST}/{other}")
        assert (status, message(body, 404)) == (404, "That action does not exist."), other
    bound = client.bind({"id": action["id"].upper()})
    assert bound[0]["action"]["id"] == action["id"]
    reference = {"ref": {"type": "binding_id", "value": bound[0]["id"].upper()}}
    kept = client.call("PATCH", "/triggers/post-login/bindings", {"bindings": [reference]})
    assert kept.json["bindings"][0]["id"] == bound[0]["id"]


@pytest.mark.parametrize(
    ("query", "part"),
    [
        ("page=0&page=0", "page is given twice"),
        ("page=1.0", "'Expected type integer but found type string' at $.page"),
        ("page=1e3", "type integer"),
        ("page=+1", "type integer"),
        ("page=%201", "type integer"),
        ("page=%D9%A3", "type integer"),
        ("page=", "type integer"),
        ("page", "type integer"),
        ("page=-1", "greater than or equal to 0"),
        ("page=" + "9" * 30, "less than or equal to 1000000"),
        ("per_page=0", "greater than or equal to 1"),
        ("per_page=101", "less than or equal to 100"),
        ("deployed=yes", "'Expected type boolean but found type string' at $.deployed"),
        ("deployed=1", "type boolean"),
        ("deployed=TRUE", "type boolean"),
        ("installed=", "type boolean"),
        ("triggerId=nope", "'there is no trigger nope' at $.triggerId"),
        ("triggerId=", "there is no trigger"),
        ("triggerId=POST-LOGIN", "there is no trigger"),
        ("actionName=%ff", "it is not UTF-8"),
        ("actionName=%ed%a0%80", "it is not UTF-8"),
        ("actionName=%00", "NUL"),
        ("include_totals=true", "Additional properties not allowed: include_totals"),
        ("a[]=1", "Additional properties not allowed: a[]"),
        ("=1", "Additional properties not allowed"),
    ],
)
def test_queries(client: Client, query: str, part: str) -> None:
    status, _, body = raw(client, "GET", f"{LIST}?{query}")
    assert status == 400, body
    assert json.loads(body)["errorCode"] == "invalid_query_string"
    assert message(body, 400).startswith("Query validation error: ")
    assert part in message(body, 400)


@pytest.mark.parametrize(
    "query",
    [
        "%70age=0",
        "deployed=true&installed=false",
        "page=00",
        "triggerId=post-login",
        "&&",
        "actionName=%C3%A9",
    ],
)
def test_queries_that_are_fine(client: Client, query: str) -> None:
    assert raw(client, "GET", f"{LIST}?{query}")[0] == 200


def test_filters(client: Client) -> None:
    first, second = client.deployed("first"), client.create("second")
    names = lambda **query: [item["name"] for item in client.get("/actions", **query)["actions"]]  # noqa: E731
    assert names(deployed=True) == [first["name"]]
    assert names(deployed=False) == [second["name"]]
    assert names(triggerId="post-login") == ["first", "second"]
    assert names(triggerId="credentials-exchange") == []
    assert names(triggerId="login-post-identifier") == []
    assert names(actionName="First") == []


@pytest.mark.parametrize(
    ("body", "status", "part"),
    [
        (b"{junk", 400, "the body is not JSON"),
        (b"[]", 400, "nothing to say in a body"),
        (b'"x"', 400, "nothing to say in a body"),
        (b"0", 400, "nothing to say in a body"),
        (
            b'{"update_draft": true}',
            400,
            "'Additional properties not allowed: update_draft' at $.update_draft",
        ),
        (b'{"a": NaN}', 400, "NaN"),
        (b"[" * 10_000, 400, "nested deeper"),
        (b" " * 3_000_000, 413, "larger than"),
    ],
)
def test_bodies_where_none_is_taken(client: Client, body: bytes, status: int, part: str) -> None:
    action = client.create()
    module = client.call("POST", "/modules", {"name": "m", "code": ""}).json
    for path in (f"/actions/{action['id']}/deploy", f"/modules/{module['id']}/versions"):
        reply = client.call("POST", path, raw=body)
        assert reply.status == status, reply
        assert part in reply.json["message"]
    assert client.get(f"/actions/{action['id']}/versions")["versions"] == [], "nothing was deployed"
    assert "latest_version" not in client.get(f"/modules/{module['id']}")


@pytest.mark.parametrize("body", [None, b"", b"null", b"{}", b" "])
def test_bodies_that_count_as_none(client: Client, body: Any) -> None:
    action = client.create()
    assert client.call("POST", f"/actions/{action['id']}/deploy", raw=body).status == 200


def test_what_was_deleted_is_gone_everywhere(client: Client) -> None:
    action = client.deployed()
    client.bind(action)
    path = f"/actions/{action['id']}"
    assert client.call("DELETE", path).status == 409
    assert client.call("DELETE", path, force=False).status == 409
    assert client.call("DELETE", path, force=True).status == 204
    for method, below, body in (
        ("GET", "", None),
        ("PATCH", "", {}),
        ("DELETE", "", None),
        ("POST", "/deploy", None),
        ("POST", "/test", {"payload": {}}),
        ("GET", "/versions", None),
        ("GET", "/versions/1", None),
        ("POST", "/versions/1/deploy", None),
    ):
        reply = client.call(method, path + below, body)
        assert (reply.status, reply.json["message"]) == (404, "That action does not exist."), (method, below)
        assert "errorCode" not in reply.json
    assert client.get("/triggers/post-login/bindings") == {"bindings": [], "per_page": 20}


@pytest.mark.parametrize(
    "name", ["name", "supported_triggers", "code", "dependencies", "runtime", "secrets", "modules", "deploy"]
)
def test_null_for_a_property_of_a_new_action(client: Client, name: str) -> None:
    body = {"name": "x", "supported_triggers": [{"id": "post-login"}], name: None}
    reply = client.call("POST", "/actions", body)
    assert (reply.status, reply.json["errorCode"]) == (400, "invalid_body")
    assert f"but found type null' at $.{name}." in reply.json["message"]


@pytest.mark.parametrize(
    "name",
    [
        "id",
        "status",
        "created_at",
        "updated_at",
        "built_at",
        "all_changes_deployed",
        "deployed_version",
        "current_version",
        "installed_integration_id",
        "integration",
        "deploy",
        "errors",
    ],
)
def test_what_belongs_to_the_service_is_refused_in_a_change(client: Client, name: str) -> None:
    action = client.create()
    reply = client.call("PATCH", f"/actions/{action['id']}", {"code": "changed", name: True})
    assert reply.json["message"].endswith(f"'Additional properties not allowed: {name}' at $.{name}.")
    assert client.get(f"/actions/{action['id']}") == action
