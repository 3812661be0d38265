"""Bodies as forms: what says the same as JSON does the same, and what is no form is refused."""

from __future__ import annotations

import contextlib
import json
from typing import Any
from urllib.parse import quote_plus, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.http.form_body import parse_form
from runner.http.json_body import BodyError
from runner.model.caps import MAX_BODY_DEPTH, MAX_BODY_FORM_FIELDS
from tests.drawn import examples
from tests.serving.server import HANDLER, Client, Reply, Server

FORM = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
PAYLOAD = {"type": "object", "properties": {"payload": {"type": "object"}}}


@pytest.fixture
def client(embedded: Server) -> Client:
    return embedded.client()


def send(client: Client, method: str, path: str, form: str) -> Reply:
    return client.call(method, path, raw=form.encode(), headers=FORM)


def test_an_action_by_forms(client: Client) -> None:
    fields = {
        "name": "gruß & mehr",
        "supported_triggers[0][id]": "post-login",
        "supported_triggers[0][version]": "v3",
        "code": HANDLER,
        "secrets[0][name]": "KEY",
        "secrets[0][value]": "true",
        "secrets[1][name]": "OTHER",
        "secrets[1][value]": "17",
        "egress[][host]": "quay.example",
        "deploy": "true",
    }
    reply = send(client, "POST", "/actions", urlencode(fields))
    assert reply.status == 201, reply
    action = client.settled(reply.json["id"])
    assert action["name"] == "gruß & mehr"
    assert action["code"] == HANDLER
    assert [item["name"] for item in action["secrets"]] == ["KEY", "OTHER"]
    assert action["egress"] == [{"host": "quay.example"}]
    assert action["deployed_version"]["deployed"] is True
    changed = send(client, "PATCH", f"/actions/{action['id']}", "secrets=[]&name=new")
    assert (changed.status, changed.json["secrets"], changed.json["name"]) == (200, [], "new")
    back = send(client, "POST", f"/actions/{action['id']}/versions/1/deploy", "update_draft=true")
    assert (back.status, back.json["number"]) == (200, 2)
    restored = client.get(f"/actions/{action['id']}")
    assert [item["name"] for item in restored["secrets"]] == ["KEY", "OTHER"]
    bindings = json.dumps([{"ref": {"type": "action_id", "value": action["id"]}, "display_name": "1"}])
    bound = send(client, "PATCH", "/triggers/post-login/bindings", urlencode({"bindings": bindings}))
    assert [item["display_name"] for item in bound.json["bindings"]] == ["1"]
    limits = urlencode(
        {
            "bindings[0][ref][type]": "action_id",
            "bindings[0][ref][value]": action["id"],
            "bindings[0][limits][wall_ms]": "500",
        }
    )
    narrowed = send(client, "PATCH", "/triggers/post-login/bindings", limits)
    assert narrowed.json["bindings"][0]["limits"]["wall_ms"] == 500


@pytest.mark.parametrize(
    ("form", "part"),
    [
        ("name=a&name=b", "given twice"),
        ("name=%ff", "not a form in UTF-8"),
        ("name=a%00b&supported_triggers[0][id]=post-login", "NUL"),
        ("name=a&supported_triggers=post-login", "$.supported_triggers is no JSON"),
        ("name=a&supported_triggers=[{", "$.supported_triggers is no JSON"),
        ("name=a&supported_triggers[1][id]=post-login", "$.supported_triggers must be 0, 1, 2"),
        ("name=a&supported_triggers[x][id]=post-login", "$.supported_triggers must be 0, 1, 2"),
        ("name=a&name[b]=c&supported_triggers[0][id]=post-login", "name[b] contradicts"),
        ("name[b]=c&name=a&supported_triggers[0][id]=post-login", "name contradicts"),
        ("name[a=b", "is no name of a field"),
        ("=b", "is no name of a field"),
        ("name=a&supported_triggers[0][id]=post-login&deploy=yes", "boolean"),
        ("name=a&supported_triggers[0][id]=post-login&secrets=null", "array"),
        ("name=a&supported_triggers[0][id]=post-login&more=1", "Additional properties not allowed: more"),
        ("name=a&supported_triggers[0][id]=post-login&__proto__[x]=1", "Additional properties not allowed"),
        ("&".join(f"a{index}=1" for index in range(MAX_BODY_FORM_FIELDS + 1)), "at most 1000 fields"),
        ("name=a", "supported_triggers"),
        ("", "a JSON body is required"),
    ],
)
def test_refused(client: Client, form: str, part: str) -> None:
    reply = send(client, "POST", "/actions", form)
    assert (reply.status, reply.json["errorCode"]) == (400, "invalid_body"), reply
    assert part in reply.json["message"], reply.json
    assert client.get("/actions") == {"actions": [], "per_page": 20}


def test_other_kinds_and_the_runtime_api(whole: Server) -> None:
    client = whole.client()
    assert client.call("POST", "/actions", raw=b"a=1", headers={"Content-Type": "text/plain"}).status == 415
    packed = {**FORM, "Content-Encoding": "gzip"}
    assert client.call("POST", "/actions", raw=b"a=1", headers=packed).status == 415
    reply = send(client, "POST", "//runtime/v1/resume", "handle=x")
    assert reply.status == 415


def test_caps() -> None:
    fields = "&".join(f"payload[{index}]=1" for index in range(MAX_BODY_FORM_FIELDS))
    assert len(parse_form(fields.encode(), PAYLOAD)["payload"]) == MAX_BODY_FORM_FIELDS
    deep = "payload" + "[a]" * (MAX_BODY_DEPTH - 1)
    assert parse_form(f"{deep}=1".encode(), PAYLOAD)["payload"]["a"]
    with pytest.raises(BodyError, match="is no name"):
        parse_form(f"{deep}[a]=1".encode(), PAYLOAD)


names = st.text(st.characters(codec="utf-8", exclude_characters="[]\0"), min_size=1, max_size=5)
texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)
trees = st.recursive(
    texts, lambda inner: st.lists(inner, min_size=1, max_size=3) | st.dictionaries(names, inner, min_size=1)
)


def flat(value: Any, path: str) -> list[str]:
    if isinstance(value, str):
        return [f"{quote_plus(path, safe='[]')}={quote_plus(value)}"]
    items = enumerate(value) if isinstance(value, list) else value.items()
    return [pair for key, item in items for pair in flat(item, f"{path}[{key}]")]


def listed(value: Any) -> Any:
    """What a form cannot tell apart: an object with the keys 0, 1, 2 and so on, and an array."""
    if isinstance(value, list):
        return {str(index): listed(item) for index, item in enumerate(value)}
    return {key: listed(item) for key, item in value.items()} if isinstance(value, dict) else value


@examples(60)
@given(value=st.dictionaries(names, trees, min_size=1, max_size=4))
def test_what_a_form_says_comes_back(value: dict[str, Any]) -> None:
    pairs = flat(value, "payload")
    assert listed(parse_form("&".join(pairs).encode(), PAYLOAD)) == listed({"payload": value})


@examples(100)
@given(raw=st.binary(max_size=60) | st.text("ab[]=&01%+", max_size=40).map(str.encode))
def test_anything_is_a_value_or_refused(raw: bytes) -> None:
    value: Any = {}
    with contextlib.suppress(BodyError):
        value = parse_form(raw, PAYLOAD)
    assert isinstance(value, dict)
