"""The cache of bindings: as old as allowed and no older, and what nobody runs any more is released."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence

import pytest

from runner.runtime.binding_cache import BindingCache
from runner.runtime.refresh import Refresher
from runner.store import Store
from runner.store.database.notices import MISSED, Notice
from runner.store.generations import bump
from runner.store.tables.models import ActionRow
from sandbox.core.program import Source
from tests.runtime.tenants import RING, deploy, tenant
from tests.runtime.test_flows import eventually


class Replica:
    """The bindings of another process: it opens the same database, and hears what the test tells it."""

    def __init__(self, store: Store) -> None:
        self.store = Store.open(store.engine.url.render_as_string(hide_password=False))
        self.now = 0.0
        self.released: list[str] = []
        self.bindings = BindingCache(self.store, lambda: RING, lambda: self.now, self._release)

    def _release(self, digests: Sequence[str]) -> None:
        self.released += digests

    def code(self, tenant: str, trigger: str = "post-login") -> list[str]:
        return [action.source.text for action in self.bindings.get(tenant, trigger).actions]


@pytest.fixture
def there(store: Store) -> Iterator[Replica]:
    replica = Replica(store)
    yield replica
    replica.store.close()


@pytest.mark.parametrize(("hears", "seconds"), [(False, 0.5), (True, 5.0)])
def test_without_a_word_a_flow_is_believed_for_a_while(
    store: Store, there: Replica, hears: bool, seconds: float
) -> None:
    t = tenant(store)
    there.store.hears = hears
    deploy(store, t, "a", "// 1")
    assert there.code(t) == ["// 1"]
    deploy(store, t, "a", "// 2")
    there.now += seconds - 0.01
    assert there.code(t) == ["// 1"]
    there.now += 0.02
    assert there.code(t) == ["// 2"]


def test_a_change_that_is_heard_is_seen_at_once(store: Store, there: Replica) -> None:
    t = tenant(store)
    there.store.hears = True
    deploy(store, t, "a", "// 1")
    assert there.code(t) == ["// 1"]
    store.listen("bindings", lambda notice: there.store.tell(notice, elsewhere=True))
    deploy(store, t, "a", "// 2")
    assert there.bindings.peek(t, "post-login") is None
    assert there.code(t) == ["// 2"]


def test_when_notices_may_have_been_missed_everything_is_looked_at(store: Store, there: Replica) -> None:
    t = tenant(store)
    there.store.hears = True
    deploy(store, t, "a", "// 1")
    assert there.code(t) == ["// 1"]
    deploy(store, t, "a", "// 2")
    there.store.tell(Notice(MISSED), elsewhere=True)
    assert there.code(t) == ["// 2"]


def test_a_connection_that_is_lost_is_not_relied_on(store: Store, there: Replica) -> None:
    t = tenant(store)
    there.store.hears = True
    deploy(store, t, "a", "// 1")
    assert there.code(t) == ["// 1"]
    deploy(store, t, "a", "// 2")
    there.now += 1
    there.store.hears = False
    assert there.code(t) == ["// 2"]


@pytest.mark.parametrize("flow_at_hand", [False, True])
def test_a_version_that_flows_wait_for_is_read_once_and_follows_its_action(
    store: Store, there: Replica, flow_at_hand: bool
) -> None:
    t = tenant(store)
    action = deploy(store, t, "a", "// 1", secrets={"KEY": "s3cret"})
    flow = there.bindings.get(t, "post-login")
    wanted = [flow.versions[0].version_id]
    if not flow_at_hand:
        there.bindings = BindingCache(there.store, lambda: RING, lambda: there.now)
    first = there.bindings.pinned(t, "post-login", wanted)
    assert [item.action_name for item in first.versions] == ["a"]
    assert first.secrets == ({"KEY": "s3cret"},)
    assert there.bindings.pinned(t, "post-login", wanted) is first
    with store.begin() as session:
        session.get_one(ActionRow, (t, action)).name = "b"
        bump(session, t, "post-login")
    there.now += 60
    renamed = there.bindings.pinned(t, "post-login", wanted)
    assert [item.action_name for item in renamed.versions] == ["b"]
    assert renamed.secrets == first.secrets


def test_versions_that_nothing_runs_any_more_are_released(store: Store) -> None:
    released: list[str] = []
    bindings = BindingCache(store, lambda: RING, release=released.extend)
    t, u = tenant(store), tenant(store, "u")
    deploy(store, t, "a", "// 1")
    deploy(store, t, "b", "// stays")
    deploy(store, u, "a", "// 1")
    old = bindings.get(t, "post-login").actions[0].digest
    bindings.get(u, "post-login")
    deploy(store, t, "a", "// 2")
    bindings.refresh(t, "post-login")
    assert released == [], "another tenant runs the same text"
    deploy(store, u, "a", "// 3")
    bindings.refresh(u, "post-login")
    assert released == [old]


def test_changed_triggers_are_read_before_somebody_asks(store: Store) -> None:
    async def warm(_tenant: str, _sources: Sequence[Source]) -> None:
        raise AssertionError("nothing is rolled out")

    async def go() -> None:
        t = tenant(store)
        released: list[str] = []
        bindings = BindingCache(store, lambda: RING, release=released.extend)
        stop = asyncio.Event()
        running = asyncio.create_task(Refresher(store, bindings, warm).run(stop))
        await asyncio.to_thread(deploy, store, t, "a", "// 1")
        old = (await asyncio.to_thread(bindings.get, t, "post-login")).actions[0].digest
        await asyncio.to_thread(deploy, store, t, "a", "// 2")
        await eventually(lambda: released == [old])
        shown = bindings.peek(t, "post-login")
        assert shown is not None
        assert [action.source.text for action in shown.actions] == ["// 2"]
        stop.set()
        await running

    asyncio.run(go())
