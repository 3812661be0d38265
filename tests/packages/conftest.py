"""One stand-in server for all tests of a worker. Older versions of packages and the largest packages of a kind
are for `make drill` only."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from runner import Action, Runner
from sandbox.egress import Egress
from tests.drills.rounds import rounds
from tests.packages import actions
from tests.packages.site import Site
from tests.parity import packages
from tests.replay.corpus import keep, verified

_HERE = Path(__file__).parent


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A test of several versions begins with the one that matters most. The others, and tests marked `large`,
    are fetched, bundled and loaded for half a minute each on a new machine, and what breaks one of them alone
    is rare."""
    firsts: dict[tuple[str, str], str] = {}
    others = []
    for item in items:
        name, version = _version(item)
        older = firsts.setdefault((item.nodeid.partition("[")[0], name), version) != version
        if rounds(older or item.get_closest_marker("large") is not None, False):
            others.append(item)
    config.hook.pytest_deselected(items=others)
    items[:] = [item for item in items if item not in set(others)]


def _version(item: pytest.Item) -> tuple[str, str]:
    """Of which package, by name or "", and of which of its versions a test is; "" when it says none."""
    called = getattr(item, "callspec", None)
    if called is None or not item.path.is_relative_to(_HERE):
        return "", ""
    name, _, version = str(called.params.get("package", "")).rpartition("@")
    return name, str(called.params.get("version", version))


@pytest.fixture(autouse=True)
def _alike(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every Action that a test runs ends alike in process, in a worker and over HTTP."""
    monkeypatch.setattr(actions, "WAYS", lambda: request.getfixturevalue("ways"))


@pytest.fixture(scope="session", autouse=True)
def _replayed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Records of some of what runs, in a drill of all of it, replay in a fresh process in the end."""
    folder, seen = tmp_path_factory.mktemp("records"), itertools.count()

    def kept(action: Action, event: Mapping[str, Any], egress: Egress) -> None:
        number = next(seen)
        if number % rounds(25, 1) == 0:
            keep(action, event, Runner(egress=egress), folder / f"{number:04}.json")

    packages.KEEP = kept
    yield
    packages.KEEP = None
    if any(folder.iterdir()):
        found = verified(folder)
        assert found["same"] == len(list(folder.glob("*.json"))), found


@pytest.fixture(scope="session")
def _server() -> Iterator[Site]:
    server = Site()
    yield server
    server.close()


@pytest.fixture
def site(_server: Site) -> Site:
    """A server that answers for every host, without any route yet."""
    _server.reset()
    return _server
