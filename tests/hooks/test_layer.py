"""What all providers have from the layer: secrets in turn, tenants, other processes, key sets, metrics."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import pytest
from joserfc.jwk import RSAKey
from prometheus_client import generate_latest

from runner.admin import rotation
from runner.hooks.directory import Directory
from runner.hooks.key_sets import KeySets
from runner.hooks.model import RefusedError
from runner.hooks.providers import PROVIDERS
from runner.store import KeyRing
from runner.store.sealed.sealing import HOOK
from runner.store.tables.entities import HookRow
from runner.store.tables.models import SecretRow
from sandbox.egress.model import FetchRequest, FetchResponse, Outcome, Settle
from tests.hooks.sending import HOOKS, SECRET, Line, line, post
from tests.serving.server import Server

ZITADEL = PROVIDERS["zitadel"]


@pytest.fixture
def hooked(whole: Server) -> Line:
    return line(whole, "zitadel", "preaccesstoken")


def path(hooked: Line, rest: str = "") -> str:
    return f"{HOOKS}/{hooked.id}{rest}"


def test_secrets_change_in_turn(hooked: Line) -> None:
    added = hooked.client.call("POST", path(hooked, "/secrets"), {"value": "the-next-secret"}).json
    assert set(added) == {"id", "use", "created_at"}
    assert [hooked.send(secret=item).status for item in (SECRET, "the-next-secret")] == [200, 200]
    (old, new) = hooked.client.get(path(hooked))["secrets"]
    assert new["id"] == added["id"]
    assert hooked.client.call("DELETE", path(hooked, f"/secrets/{old['id']}")).status == 204
    assert [hooked.send(secret=item).status for item in (SECRET, "the-next-secret")] == [401, 200]
    assert hooked.client.call("DELETE", path(hooked, f"/secrets/{old['id']}")).status == 404
    assert hooked.client.call("DELETE", path(hooked)).status == 204
    assert hooked.send(secret="the-next-secret").status == 401
    assert hooked.client.call("POST", path(hooked, "/secrets"), {"value": "the-next-secret"}).status == 404


def test_a_hook_without_a_secret_refuses_everything(whole: Server) -> None:
    hooked = line(whole, "zitadel", "preaccesstoken", secrets=[])
    for secret in (SECRET, "\0"):
        assert hooked.send(secret=secret).status == 401


@pytest.mark.parametrize(
    ("provider", "hook"),
    [("okta", "token"), ("wso2", "pre-issue-access-token"), ("hydra", "token"), ("kratos", "login")],
)
def test_a_secret_that_cannot_stand_in_a_header_is_refused(whole: Server, provider: str, hook: str) -> None:
    client = whole.client()

    def told(value: str) -> tuple[int, bool]:
        body = {"provider": provider, "hook": hook, "secrets": [{"value": value}]}
        reply = client.call("POST", HOOKS, body)
        if reply.status == 201:
            client.call("DELETE", f"{HOOKS}/{reply.json['id']}")
        return reply.status, value in str(reply.json)

    bad = ["geheim-für-alle-Tage", "a-secret\nX-Other: 1", "a-secret\r\n-and-more", "a-secret-with-\0-in-it"]
    bad += [
        " a-secret-after-a-blank",
        "a-secret-with-a-blank ",
        "a-secret\twith-a-tab",
        "a-secret-\x7f-more",
        "鍵" * 20,
    ]
    for value in bad:
        assert told(value) == (400, False), value
    words = 201 if provider == "okta" else 400  # there it is all of the header
    assert [told(value)[0] for value in ("a-secret~of!signs=/+", "Basic a-secret-word")] == [201, words]
    made = client.call("POST", HOOKS, {"provider": provider, "hook": hook}).json
    path = f"{HOOKS}/{made['id']}/secrets"
    assert client.call("POST", path, {"value": "a-secret\nX-Other: 1"}).status == 400


def test_secrets_are_sealed_and_never_shown(whole: Server, hooked: Line) -> None:
    assert SECRET not in json.dumps(hooked.client.get(HOOKS))
    with whole.service.store.read() as session:
        rows = session.query(SecretRow).filter_by(owner_kind=HOOK, owner_id=hooked.id).all()
    assert len(rows) == 1
    assert SECRET.encode() not in rows[0].sealed


def test_a_new_key_seals_them_too(whole: Server, hooked: Line) -> None:
    store, ring = whole.service.store, whole.service.keys.ring
    before = {name: ring._keys[name] for name in ring.ids}
    rotation.reseal(store, KeyRing({"k9": b"9" * 32, **before}))
    with store.read() as session:
        (row,) = session.query(SecretRow).filter_by(owner_kind=HOOK, owner_id=hooked.id)
        assert row.key_id == "k9"
    assert rotation.reseal(store, KeyRing({**before, "k9": b"9" * 32})) > 0
    assert hooked.send().status == 200


def test_one_hook_of_each_kind(hooked: Line) -> None:
    body = {"provider": "zitadel", "hook": "preaccesstoken"}
    assert hooked.client.call("POST", HOOKS, body).status == 409


def test_tenants_do_not_see_each_other(whole: Server, hooked: Line) -> None:
    other = line(whole, "zitadel", "preaccesstoken", secrets=[{"value": "another-secret"}])
    other.bind('api.access.deny("not here");')
    assert hooked.send(path=other.path).status == 401
    assert other.send(path=hooked.path, secret="another-secret").status == 401
    assert hooked.send().json == {}
    assert other.send(secret="another-secret").json["forwardedErrorMessage"] == "not here"


def test_old_and_early_signatures(hooked: Line) -> None:
    now = time.time()
    assert [hooked.send(now=now + away).status for away in (-310, -290, 50, 90)] == [401, 200, 200, 401]


def test_not_carried_is_a_switch(hooked: Line) -> None:
    hooked.bind('api.user.setAppMetadata("a", 1); api.redirect.sendUserTo("https://harbor.example");')
    assert hooked.send().json["forwardedStatusCode"] == 403
    assert hooked.client.call("PATCH", path(hooked), {"on_uncarried": "allow"}).status == 200
    answer = hooked.send()
    assert hooked.goes_on(answer)
    found = [item["hook"] for item in hooked.executions()]
    assert [item["result"] for item in found] == ["allowed", "suspended"]
    assert {item["effect"] for item in found[0]["dropped"]} == {"app_metadata", "suspension"}


def test_metrics_count_without_naming_tenants(whole: Server, hooked: Line) -> None:
    hooked.bind('api.accessToken.setCustomClaim("a", 1); api.user.setAppMetadata("a", 1);')
    hooked.send()
    hooked.send(secret="not-the-secret")
    text = generate_latest(whole.app.state.plane.metrics.registry).decode()
    labels = 'hook="preaccesstoken",provider="zitadel"'
    assert f'actionbox_hook_requests_total{{{labels},result="uncarried"}}' in text
    assert f'actionbox_hook_requests_total{{{labels},result="refused"}}' in text
    assert f'actionbox_hook_dropped_effects_total{{effect="app_metadata",{labels}}}' in text
    assert hooked.client.tenant not in text


def test_defaults_are_in_the_event(whole: Server) -> None:
    defaults = {"connection": {"name": "Harbor"}, "client": {"name": "Portal", "metadata": {"tier": "gold"}}}
    hooked = line(whole, "zitadel", "preuserinfo", defaults=defaults)
    event = hooked.client.call("POST", path(hooked, "/test"), {}).json["event"]
    assert event["connection"]["name"] == "Harbor"
    assert event["client"] == {"client_id": "default", "name": "Portal", "metadata": {"tier": "gold"}}


def test_a_test_tells_what_would_happen(hooked: Line) -> None:
    hooked.bind('console.log("here"); api.user.setAppMetadata("a", 1);')
    found = hooked.client.call("POST", path(hooked, "/test"), {}).json
    assert (found["trigger"], found["decision"], found["result"]) == ("post-login", "allow", "uncarried")
    assert (found["goes_on"], found["answer"]["body"]["forwardedStatusCode"]) == (False, 403)
    assert found["dropped"] == [
        {"effect": "app_metadata", "name": "a", "reason": "This hook does not carry it."}
    ]
    assert found["actions"][0]["logs"][0]["text"] == "here"
    assert hooked.executions() == []
    refused = hooked.client.call("POST", path(hooked, "/test"), {"payload": {"user": []}})
    assert (refused.status, refused.json["errorCode"]) == (400, "invalid_body")


def test_other_methods_and_paths(hooked: Line) -> None:
    for method, where, status in (
        ("GET", hooked.path, 405),
        ("POST", "/hooks/v1/", 404),
        ("POST", hooked.path + "/more", 404),
        ("POST", hooked.path.replace("zitadel", "auth9"), 404),
        ("POST", hooked.path.replace("preaccesstoken", "prelogin"), 404),
    ):
        answer = hooked.client.call(method, f"/{where}")
        assert answer.status == status, where


def test_a_connection_lives_on_after_a_refusal(hooked: Line) -> None:
    """A body that was not read is not taken for the next request."""
    smuggled = b"POST /health HTTP/1.1\r\nHost: x\r\n\r\n" * 100
    for _ in range(3):
        assert post(hooked.client.url + hooked.path, smuggled, {}).status == 401
        assert hooked.send().status == 200


def test_another_process_sees_what_changes(whole: Server) -> None:
    """Without hearing of it: within half a second."""
    client = whole.client()

    async def go() -> None:
        clock = [0.0]
        directory = Directory(whole.service.store, lambda: whole.service.keys.ring, lambda: clock[0])
        directory._heard = lambda _: None  # type: ignore[method-assign, assignment]
        store = whole.service.store
        store._listeners = [
            item for item in store._listeners if getattr(item[1], "__self__", 0) is not directory
        ]
        assert await directory.find(ZITADEL, client.tenant, "preaccesstoken") is None
        made = await asyncio.to_thread(line, whole, "zitadel", "preaccesstoken", client)
        assert await directory.find(ZITADEL, client.tenant, "preaccesstoken") is None
        clock[0] += 1
        found = await directory.find(ZITADEL, client.tenant, "preaccesstoken")
        assert found is not None
        assert found.values() == [SECRET]
        await asyncio.to_thread(client.call, "DELETE", path(made))
        clock[0] += 1
        assert await directory.find(ZITADEL, client.tenant, "preaccesstoken") is None

    asyncio.run(go())


def test_unknown_tenants_cost_no_query(whole: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    async def go() -> None:
        clock = [0.0]
        directory = Directory(whole.service.store, lambda: whole.service.keys.ring, lambda: clock[0])
        await directory.find(ZITADEL, "nobody", "preaccesstoken")
        monkeypatch.setattr(type(whole.service.store), "read", None)
        for number in range(1_000):
            assert await directory.find(ZITADEL, f"nobody{number}", "preaccesstoken") is None

    asyncio.run(go())


# --- key sets ---


class Network:
    """An `Egress` that answers what it is told, and counts."""

    def __init__(self, *answers: Outcome) -> None:
        self.answers = list(answers)
        self.asked: list[FetchRequest] = []

    def open(self, deadline: float) -> Network:
        return self

    def start(self, request: FetchRequest, settle: Settle) -> Any:
        self.asked.append(request)
        settle(self.answers.pop(0) if len(self.answers) > 1 else self.answers[0])
        return lambda: None

    def close(self) -> None:
        """Nothing is open."""


def key_set(*keys: RSAKey, status: int = 200) -> FetchResponse:
    body = json.dumps({"keys": [key.as_dict(private=False) for key in keys]}).encode()
    return FetchResponse(status, "", "https://z.example/keys", False, (), body)


def test_key_sets_are_kept_by_tenant_and_renewed() -> None:
    first, second = RSAKey.generate_key(2048), RSAKey.generate_key(2048)
    clock = [0.0]

    async def go() -> None:
        network = Network(key_set(first), key_set(first), key_set(first, second), key_set(status=500))
        sets = KeySets(lambda: network, lambda: clock[0])
        url = "https://z.example/keys"
        found = await asyncio.gather(*(sets.keys("t", url) for _ in range(5)))
        assert [len(keys) for keys in found] == [1] * 5
        assert len(network.asked) == 1
        assert len(await sets.keys("t", url, fresh=True)) == 1
        await sets.keys("other", url)
        assert len(network.asked) == 2, "a missing key is not asked for again at once"
        clock[0] += 31
        assert len(await sets.keys("t", url, fresh=True)) == 2
        clock[0] += 601
        assert len(await sets.keys("t", url)) == 2, "an address that fails takes no keys away"
        assert len(network.asked) == 4

    asyncio.run(go())


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'{"keys": 3}', b"\xff", b'{"keys": [' + b" " * 70_000 + b"]}", b"[" * 10_000]
)
def test_what_is_no_key_set(body: bytes) -> None:
    async def go() -> None:
        network = Network(FetchResponse(200, "", "https://z.example", False, (), body))
        sets = KeySets(lambda: network)
        for _ in range(3):
            with pytest.raises(RefusedError) as caught:
                await sets.keys("t", "https://z.example")
            assert caught.value.status == 424
        assert len(network.asked) == 1

    asyncio.run(go())


def test_keys_come_through_the_rules_for_requests(whole: Server) -> None:
    """Loopback is not reached unless the installation allows it."""
    settings = {"payload_type": "jwt", "jwks_url": f"{whole.url}/health"}
    hooked = line(whole, "zitadel", "preaccesstoken", settings=settings)
    answer = hooked.send(raw=b"eyJhbGciOiJSUzI1NiJ9.e30.AAAA")
    assert (answer.status, hooked.goes_on(answer)) == (424, False)


def test_a_row_of_another_release_is_left_alone(whole: Server, hooked: Line) -> None:
    with whole.service.store.begin() as session:
        row = session.get(HookRow, (hooked.client.tenant, hooked.id))
        row.provider = "auth9"
    assert hooked.client.get(HOOKS) == {"identity_provider_hooks": []}
    assert hooked.client.call("GET", path(hooked)).status == 404
    assert hooked.client.call("POST", path(hooked, "/test"), {}).status == 404
