"""A key ring that does not open what is stored, and values that do not open, over HTTP."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from runner.admin.rotation import forget, rotate
from runner.admin.setup import open_service_keys, open_store
from runner.config.settings import ServiceSettings
from runner.model.errors import InputError
from runner.store.sealed.key_checks import KeyCheckRow, check_ring, opens_secret
from runner.store.sealed.sealing import KeyRing
from runner.store.tables.models import SecretRow
from runner.store.tables.runs import IdempotencyRow
from tests.databases import migrated_database
from tests.serving.server import Client, Reply, Server, running, settings_for
from triggers import get_trigger

CODE = """
exports.onExecutePostLogin = async (event, api) => {
  api.idToken.setCustomClaim("https://x.example/k", event.secrets.K);
  if (event.request.query.ask) api.redirect.sendUserTo("https://x.example/");
};
exports.onContinuePostLogin = async (event, api) => {
  api.idToken.setCustomClaim("https://x.example/k", event.secrets.K);
};
"""
EVENT = get_trigger("post-login").example_event
ASKING = {**EVENT, "request": {**EVENT["request"], "query": {"ask": "1"}}}
INVOKE = "//runtime/v1/triggers/post-login/invoke"


@pytest.fixture(params=["sqlite", "postgresql"], scope="module")
def shared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose ring the tests may change."""
    with running(_settings(request.param, tmp_path_factory.mktemp("keyring"))) as found:
        yield found


def _settings(database: str, folder: Path) -> ServiceSettings:
    if database == "sqlite":
        return settings_for(folder)
    KeyRing.create(folder / "keys.json")
    return settings_for(folder, database_url=migrated_database())


@pytest.fixture
def server(shared: Server) -> Iterator[Server]:
    """With its first ring, and no secrets of tests before."""
    ring = KeyRing.load(ring_path(shared))
    yield shared
    ring.save(ring_path(shared))
    with shared.service.store.begin() as session:
        session.execute(delete(SecretRow))
        session.execute(delete(KeyCheckRow))
    assert shared.service.keys.ring.ids == ring.ids == ("k1",)
    check_ring(shared.service.store, ring)


@pytest.fixture
def client(server: Server) -> Client:
    return server.client()


def bound(client: Client) -> dict[str, Any]:
    action = client.deployed(code=CODE, secrets=[{"name": "K", "value": "the value"}])
    client.bind(action)
    return action


def ring_path(server: Server) -> Path:
    return server.service.settings.key_path


def is_sealed_error(reply: Reply) -> bool:
    assert "Traceback" not in str(reply.json)
    assert "the value" not in str(reply.json)
    return (reply.status, reply.json["errorCode"]) == (503, "sealed_value_unreadable")


def tried(client: Client, action: dict[str, Any]) -> Any:
    """The claims of a test of the draft."""
    reply = client.call("POST", f"/actions/{action['id']}/test", {"payload": {}})
    assert reply.status == 200, reply
    return reply.json["payload"]["effects"]["id_token_claims"]


def rows(server: Server) -> list[tuple[str, bytes]]:
    with server.service.store.read() as session:
        return [(row.key_id, row.sealed) for row in session.scalars(select(SecretRow))]


DAMAGES = ("altered", "cut", "empty", "of a lost key")


def damage(server: Server, tenant: str, kind: str) -> None:
    """Every stored secret and kept answer of a tenant."""
    values: dict[str, dict[str, Any]] = {
        "altered": {"sealed": b"\0" * 40},
        "cut": {"sealed": b"\0" * 5},
        "empty": {"sealed": b""},
        "of a lost key": {"key_id": "k9"},
    }
    long = "A" * 80
    answer = {"altered": f"k1:{long}", "cut": "k1:AAAA", "empty": "k1:", "of a lost key": f"k9:{long}"}
    with server.service.store.begin() as session:
        session.execute(update(SecretRow).where(SecretRow.tenant_id == tenant).values(**values[kind]))
        kept = update(IdempotencyRow).where(IdempotencyRow.tenant_id == tenant)
        session.execute(kept.values(answer=answer[kind]))


def test_a_request_under_way_opens_what_a_rotation_seals_meanwhile(server: Server, client: Client) -> None:
    bound(client)
    taken = server.service.keys.ring
    with server.service.keys._lock:  # another request takes the file up, and waits to write
        rotate(server.service.settings)
        with server.service.store.read() as session:
            found = session.scalars(select(SecretRow)).all()
            assert {row.key_id for row in found} == {"k2"}
            for ring in (taken, server.service.keys.ring):
                assert all(opens_secret(ring, row) for row in found)


def test_a_value_that_does_not_open_is_a_503(whole: Server) -> None:
    server, client = whole, whole.client()
    action = bound(client)
    key = {"Idempotency-Key": "k"}
    assert client.call("POST", INVOKE, {"event": EVENT}, headers=key).status == 200
    waiting = client.call("POST", INVOKE, {"event": ASKING}).json["suspension"]
    fresh = client.create("another", built=True)
    path = f"/actions/{action['id']}"
    resume = {
        "handle": waiting["handle"],
        "request": {**EVENT["request"], "query": {"state": waiting["state"]}},
    }
    for kind in DAMAGES:
        damage(server, client.tenant, kind)
        client.bind(action)  # so that the flow is read again
        for reply in (
            client.call("POST", INVOKE, {"event": EVENT}),
            client.call("POST", INVOKE, {"event": EVENT}, headers=key),
            client.call("POST", "//runtime/v1/resume", resume),
            client.call("POST", f"{path}/test", {"payload": {}}),
            client.call("POST", f"{path}/deploy"),
        ):
            assert is_sealed_error(reply), (kind, reply)
    assert client.get(f"{path}/versions")["total"] == 1, "nothing was deployed"
    for good in (client.get(path), client.get("/actions"), client.get(f"/actions/{fresh['id']}")):
        assert good
    mended = client.call("PATCH", path, {"secrets": [{"name": "K", "value": "a new value"}]})
    assert mended.status == 200, mended
    client.settled(action["id"])
    assert client.call("POST", f"{path}/deploy").status == 200
    outcome = client.call("POST", INVOKE, {"event": EVENT}).json
    assert outcome["effects"]["id_token_claims"] == {"https://x.example/k": "a new value"}
    assert is_sealed_error(client.call("POST", "//runtime/v1/resume", resume)), "its handle was not used up"
    with server.service.store.begin() as session:  # which others use
        session.execute(delete(SecretRow).where(SecretRow.tenant_id == client.tenant))
        session.execute(delete(IdempotencyRow).where(IdempotencyRow.tenant_id == client.tenant))


WRONG: dict[str, Callable[[KeyRing], KeyRing]] = {
    "another key of the name": lambda _: KeyRing({"k1": b"x" * 32}),
    "other names": lambda _: KeyRing({"other": b"x" * 32}),
    "a new key in front of another": lambda _: KeyRing({"k2": b"y" * 32, "k1": b"x" * 32}),
    "a new key alone": lambda ring: ring.rotated().without(["k1"]),
}


@pytest.mark.parametrize("with_secrets", [True, False])
def test_a_wrong_ring_is_not_taken_up_and_does_not_start(
    server: Server, client: Client, with_secrets: bool
) -> None:
    action = bound(client) if with_secrets else client.create(code=CODE)
    path, settings, store = ring_path(server), server.service.settings, server.service.store
    good, value = KeyRing.load(path), "the value"
    for name, make in WRONG.items():
        make(good).save(path)
        assert client.call("GET", "/actions").status == 200, "tokens of the ring before still hold"
        if with_secrets:
            assert tried(client, action) == {"https://x.example/k": value}
            value = f"written beside {name}"
            secrets = {"secrets": [{"name": "K", "value": value}]}
            assert client.call("PATCH", f"/actions/{action['id']}", secrets).status == 200
            assert {key for key, _ in rows(server)} == {"k1"}, (
                "what is written is sealed with the ring before"
            )
        with pytest.raises(InputError) as caught:
            open_service_keys(settings, store)
        assert caught.value.code == "wrong_key_ring", name
        assert "keys forget" in caught.value.next_step
        before = rows(server)
        with pytest.raises(InputError, match="does not fit"):
            rotate(settings)
        assert rows(server) == before
    good.save(path)
    assert client.settled(action["id"])["status"] == "built"
    assert tried(client, action) == ({"https://x.example/k": value} if with_secrets else {})
    assert open_service_keys(settings, store).ring.ids == good.ids


def test_a_rotation_is_taken_up_and_pruned_keys_are_forgotten(server: Server, client: Client) -> None:
    action = bound(client)
    settings = server.service.settings
    assert rotate(settings).ring == ("k2", "k1")
    client.create("second", secrets=[{"name": "K", "value": "v"}])
    assert {key for key, _ in rows(server)} == {"k2"}
    assert rotate(settings, prune=True).ring == ("k3",)
    with server.service.store.read() as session:
        assert list(session.scalars(select(KeyCheckRow.key_id))) == ["k3"]
    assert server.service.keys.ring.ids == ("k3",)
    again = server.client(client.tenant)
    assert again.call("POST", f"/actions/{action['id']}/test", {"payload": {}}).status == 200


def test_two_rings_on_a_database_without_secrets(tmp_path: Path) -> None:
    """The second replica that brings a ring of its own does not start."""
    url = migrated_database()
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        KeyRing.create(tmp_path / name / "keys.json")
    one, two = (settings_for(tmp_path / name, database_url=url) for name in ("one", "two"))
    with closing(open_store(one)) as store:
        open_service_keys(one, store)
        open_service_keys(one, store)
        with pytest.raises(InputError, match="does not fit"):
            open_service_keys(two, store)
        shutil.copy2(one.key_path, two.key_path)
        open_service_keys(two, store)


def test_a_database_of_an_earlier_release_is_checked_by_its_secrets(server: Server, client: Client) -> None:
    bound(client)
    settings = server.service.settings
    with server.service.store.begin() as session:
        session.query(KeyCheckRow).delete()
    with closing(open_store(settings)) as store:
        wrong = KeyRing({"k1": b"x" * 32})
        good = KeyRing.load(settings.key_path)
        wrong.save(settings.key_path)
        with pytest.raises(InputError, match="does not fit"):
            open_service_keys(settings, store)
        good.save(settings.key_path)
        open_service_keys(settings, store)
        with store.read() as session:
            assert list(session.scalars(select(KeyCheckRow.key_id))) == ["k1"]


def test_what_a_lost_ring_sealed_can_be_given_up(server: Server, client: Client) -> None:
    bound(client)
    settings = server.service.settings
    KeyRing({"k1": b"x" * 32}).save(settings.key_path)
    assert forget(settings) == 2, "the draft's and the version's"
    assert rows(server) == []
    with closing(open_store(settings)) as store:
        open_service_keys(settings, store)
    assert forget(settings) == 0


def test_a_ring_in_the_environment_is_checked_too(server: Server) -> None:
    from pydantic import SecretStr

    text = json.dumps({"keys": {"k1": "eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHg="}})
    settings = server.service.settings.model_copy(update={"keys": SecretStr(text)})
    with closing(open_store(settings)) as store, pytest.raises(InputError, match="does not fit"):
        open_service_keys(settings, store)
