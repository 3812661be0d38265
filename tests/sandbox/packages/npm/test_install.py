"""Resolving, locking and unpacking, from a folder of tarballs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sandbox.core import caps
from sandbox.packages.errors import DependencyError
from sandbox.packages.npm.folder import FolderOrigin
from sandbox.packages.npm.install import Wanted, check_wanted_list, make_lock, unpack
from sandbox.packages.npm.lock import Lock, sha512
from sandbox.packages.npm.store import TarballStore
from tests.sandbox.packages.npm.tarballs import Shelf, package, tarball


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "shelf")


@pytest.fixture
def store(tmp_path: Path) -> TarballStore:
    return TarballStore(tmp_path / "store")


Resolve = Callable[..., Lock]


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def resolve(shelf: Shelf, store: TarballStore, said: list[str]) -> Resolve:
    def run(**wanted: str) -> Lock:
        items = [
            Wanted(name.replace("__", "/").replace("_", "@"), version) for name, version in wanted.items()
        ]
        return make_lock(check_wanted_list(items), FolderOrigin(shelf.folder), store, said.append)

    return run


def places(lock: Lock) -> dict[str, str]:
    return {item.path.replace("node_modules/", ""): item.version for item in lock.packages}


def rule_of(run: Callable[[], object]) -> str:
    with pytest.raises(DependencyError) as caught:
        run()
    return caught.value.rule


class TestResolving:
    def test_versions_ranges_and_latest(self, shelf: Shelf, resolve: Resolve) -> None:
        for version in ("1.0.0", "1.2.0", "2.0.0", "3.0.0-rc.1"):
            shelf.add("a", version)
        assert resolve(a="").versions == {"a": "2.0.0"}
        assert resolve(a="latest").versions == {"a": "2.0.0"}
        assert resolve(a="^1").versions == {"a": "1.2.0"}
        assert resolve(a="1.0.0").versions == {"a": "1.0.0"}
        assert resolve(a="3.0.0-rc.1").versions == {"a": "3.0.0-rc.1"}

    def test_one_copy_where_ranges_meet(self, shelf: Shelf, resolve: Resolve) -> None:
        shelf.add("a", dependencies={"c": "^1"}).add("b", dependencies={"c": "^1.1"})
        shelf.add("c", "1.1.0").add("c", "2.0.0")
        assert places(resolve(a="", b="")) == {"a": "1.0.0", "b": "1.0.0", "c": "1.1.0"}

    def test_nested_copies_where_they_do_not(self, shelf: Shelf, resolve: Resolve) -> None:
        shelf.add("a", dependencies={"c": "1"}).add("b", dependencies={"c": "2", "d": "1"})
        shelf.add("d", dependencies={"c": "2"}).add("c", "1.0.0").add("c", "2.0.0")
        assert places(resolve(a="", b="")) == {
            "a": "1.0.0", "b": "1.0.0", "c": "1.0.0", "b/c": "2.0.0", "d": "1.0.0", "d/c": "2.0.0",
        }  # fmt: skip

    def test_packages_that_need_each_other(self, shelf: Shelf, resolve: Resolve) -> None:
        shelf.add("a", dependencies={"b": "1"}).add("b", dependencies={"a": "1"})
        assert places(resolve(a="")) == {"a": "1.0.0", "b": "1.0.0"}

    def test_scoped_packages_and_aliases(self, shelf: Shelf, resolve: Resolve) -> None:
        shelf.add("@s/a", dependencies={"old": "npm:b@^1"}).add("b", "1.5.0")
        lock = resolve(_s__a="")
        assert places(lock) == {"@s/a": "1.0.0", "old": "1.5.0"}
        assert {item.name for item in lock.packages} == {"@s/a", "b"}

    def test_peers_come_along(self, shelf: Shelf, resolve: Resolve, said: list[str]) -> None:
        shelf.add("a", peerDependencies={"b": "1", "c": "1"}, peerDependenciesMeta={"c": {"optional": True}})
        shelf.add("b", "1.0.0").add("b", "2.0.0").add("c")
        assert places(resolve(a="")) == {"a": "1.0.0", "b": "1.0.0"}
        assert places(resolve(a="", b="2")) == {"a": "1.0.0", "b": "2.0.0"}
        assert any("asks for b 1" in line for line in said)

    def test_optional_ones_may_fail(self, shelf: Shelf, resolve: Resolve, said: list[str]) -> None:
        shelf.add("a", optionalDependencies={"gone": "1", "mac": "1", "gyp": "1", "fine": "1"})
        shelf.add("mac", os=["darwin"]).add("gyp", files={"binding.gyp": "{}"}).add("fine")
        assert places(resolve(a="")) == {"a": "1.0.0", "fine": "1.0.0"}
        assert sum("left out optional" in line for line in said) == 3

    def test_warnings(self, shelf: Shelf, resolve: Resolve, said: list[str]) -> None:
        shelf.add("a", deprecated="use b", scripts={"postinstall": "node run.js"}, engines={"node": "0.1"})
        resolve(a="")
        assert "a@1.0.0 is deprecated: use b" in said
        assert "a@1.0.0 has an install script, which is not run" in said

    @pytest.mark.parametrize(
        ("manifest", "rule"),
        [
            ({"cpu": ["x64"]}, "platform"),
            ({"os": ["!linux"]}, "platform"),
            ({"gypfile": True}, "native"),
            ({"scripts": {"install": "node-gyp rebuild"}}, "native"),
            ({"files": {"build/x.node": "ELF"}}, "native"),
            ({"dependencies": {"b": "git+ssh://host/b"}}, "kind"),
            ({"dependencies": {"b": "file:../b"}}, "kind"),
            ({"dependencies": {"../../b": "1"}}, "name"),
            ({"dependencies": {"b": "1"}}, "not-found"),
        ],
    )
    def test_what_cannot_be_had(
        self, shelf: Shelf, resolve: Resolve, manifest: dict[str, Any], rule: str
    ) -> None:
        shelf.add("a", **manifest)
        assert rule_of(lambda: resolve(a="")) == rule

    def test_a_version_that_is_not_there(self, shelf: Shelf, resolve: Resolve) -> None:
        shelf.add("a", dependencies={"b": "^2"}).add("b")
        with pytest.raises(
            DependencyError, match=r"No version of b, which a@1.0.0 needs, matches '\^2'"
        ) as caught:
            resolve(a="")
        assert caught.value.next_step == "The newest version is 1.0.0."

    def test_the_caps_on_counts(self, shelf: Shelf, resolve: Resolve) -> None:
        many = [Wanted(f"p{number}") for number in range(caps.MAX_DEPENDENCIES)]
        assert len(check_wanted_list(many)) == caps.MAX_DEPENDENCIES
        assert rule_of(lambda: check_wanted_list([*many, Wanted("more")])) == "cap"
        names = {f"d{number}": "1" for number in range(caps.MAX_PACKAGES)}
        for name in names:
            shelf.add(name)
        shelf.add("a", dependencies=names)
        assert rule_of(lambda: resolve(a="")) == "cap"


class TestIntegrity:
    def test_the_lock_keeps_digests_and_no_addresses(self, shelf: Shelf, resolve: Resolve) -> None:
        data = package("a")
        shelf.put("a.tgz", data)
        lock = resolve(a="")
        assert json.loads(lock.to_json()) == {
            "lockVersion": 1,
            "dependencies": {"a": "latest"},
            "packages": {"node_modules/a": {"name": "a", "version": "1.0.0", "integrity": sha512(data)}},
        }
        assert Lock.from_json(lock.to_json()) == lock

    def test_republished_bytes_are_refused(self, shelf: Shelf, resolve: Resolve, tmp_path: Path) -> None:
        shelf.add("a", code="exports.x = 1")
        lock = resolve(a="")
        shelf.add("a", code="exports.x = 'evil'")
        origin = FolderOrigin(shelf.folder)
        run = lambda: unpack(lock, lambda: origin, TarballStore(tmp_path / "empty"), tmp_path / "out")  # noqa: E731
        assert rule_of(run) == "integrity"
        assert not list((tmp_path / "out").rglob("*.js"))

    def test_an_altered_store_is_not_used(
        self, shelf: Shelf, resolve: Resolve, store: TarballStore, tmp_path: Path
    ) -> None:
        shelf.add("a", code="exports.x = 1")
        lock = resolve(a="")
        (kept,) = (tmp_path / "store").iterdir()
        kept.write_bytes(package("a", code="exports.x = 'evil'"))
        unpack(lock, lambda: FolderOrigin(shelf.folder), store, tmp_path / "out")
        assert (tmp_path / "out/node_modules/a/index.js").read_text() == "exports.x = 1"

    def test_the_name_inside_must_be_the_name_outside(self, resolve: Resolve, shelf: Shelf) -> None:
        shelf.put("bad.tgz", tarball({"index.js": ""}))
        assert rule_of(lambda: resolve(a="")) == "archive"

    def test_install_scripts_never_run(
        self, shelf: Shelf, resolve: Resolve, store: TarballStore, tmp_path: Path
    ) -> None:
        marker = tmp_path / "marker"
        command = f"echo ran > {marker}"
        scripts = dict.fromkeys(("preinstall", "install", "postinstall", "prepare"), command)
        shelf.add("a", scripts=scripts)
        unpack(resolve(a=""), lambda: FolderOrigin(shelf.folder), store, tmp_path / "out")
        assert (tmp_path / "out/node_modules/a/package.json").is_file()
        assert not marker.exists()

    @pytest.mark.parametrize(
        "change",
        [
            {"lockVersion": 2},
            {
                "packages": {
                    "../../etc": {"name": "a", "version": "1.0.0", "integrity": "sha512-" + "A" * 86 + "=="}
                }
            },
            {"packages": {"node_modules/a": {"name": "a", "version": "1.0.0", "integrity": "sha512-short"}}},
            {
                "packages": {
                    "node_modules/a": {
                        "name": "-x",
                        "version": "1.0.0",
                        "integrity": "sha512-" + "A" * 86 + "==",
                    }
                }
            },
            {"packages": []},
            {"dependencies": 3},
        ],
    )
    def test_locks_that_are_refused(self, change: dict[str, object]) -> None:
        data = {"lockVersion": 1, "dependencies": {}, "packages": {}} | change
        assert rule_of(lambda: Lock.from_json(json.dumps(data))) == "lock"
