"""The caps that are too large to reach in a test: lowered, then met and passed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sandbox.core import caps
from sandbox.javascript.building import bundle
from sandbox.javascript.packages.files import Packer
from sandbox.packages.errors import DependencyError
from sandbox.packages.npm import folder, install, names, resolver
from sandbox.packages.npm.folder import FolderOrigin
from sandbox.packages.npm.install import Wanted, check_wanted_list, make_lock, unpack
from sandbox.packages.npm.lock import Lock
from sandbox.packages.npm.store import TarballStore
from tests.sandbox.packages.npm.tarballs import Shelf, package


def locked(shelf: Shelf, tmp_path: Path) -> Lock:
    wanted = check_wanted_list([Wanted("a")])
    return make_lock(wanted, FolderOrigin(shelf.folder), TarballStore(tmp_path / "store"), lambda _: None)


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "shelf")


def test_bytes_of_one_tarball(shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = package("a")
    shelf.put("a.tgz", data)
    monkeypatch.setattr(folder, "MAX_TARBALL_BYTES", len(data))
    assert locked(shelf, tmp_path).packages
    monkeypatch.setattr(folder, "MAX_TARBALL_BYTES", len(data) - 1)
    with pytest.raises(DependencyError, match="larger than"):
        locked(shelf, tmp_path)


def test_bytes_of_all_packages(shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf.add("a", code="x" * 1000, dependencies={"b": "1"}).add("b", code="y" * 1000)
    lock = locked(shelf, tmp_path)

    def run(target: str) -> int:
        out = tmp_path / target
        unpack(lock, lambda: FolderOrigin(shelf.folder), TarballStore(tmp_path / "store"), out)
        return sum(path.stat().st_size for path in out.rglob("*") if path.is_file())

    total = run("all")
    monkeypatch.setattr(install, "MAX_PACKAGES_BYTES", total)
    assert run("at the cap") == total
    monkeypatch.setattr(install, "MAX_PACKAGES_BYTES", total - 1)
    with pytest.raises(DependencyError, match="hold more than"):
        run("above it")


def test_packages_within_packages(shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf.add("a", "1.0.0", dependencies={"b": "1"}).add("b", "1.0.0", dependencies={"a": "2"})
    shelf.add("a", "2.0.0")
    wanted = {"a": "1.0.0"}
    run: Any = lambda: make_lock(  # noqa: E731
        wanted, FolderOrigin(shelf.folder), TarballStore(tmp_path / "store"), lambda _: None
    )
    monkeypatch.setattr(resolver, "MAX_PACKAGE_DEPTH", 2)
    assert len(run().packages) == 3
    monkeypatch.setattr(resolver, "MAX_PACKAGE_DEPTH", 1)
    with pytest.raises(DependencyError, match="nest too deeply"):
        run()


def test_characters_of_names_and_versions() -> None:
    assert names.check_name("x" * caps.MAX_PACKAGE_NAME)
    with pytest.raises(DependencyError):
        names.check_name("x" * (caps.MAX_PACKAGE_NAME + 1))
    assert names.check_wanted("a", "1" * caps.MAX_PACKAGE_VERSION)
    with pytest.raises(DependencyError):
        names.check_wanted("a", "1" * (caps.MAX_PACKAGE_VERSION + 1))


def test_bytes_of_a_bundle(monkeypatch: pytest.MonkeyPatch) -> None:
    result = {"eager": ["/a.js", "/b.js"], "errors": [], "native": [], "missing": [], "unresolved": []}
    packer = Packer()
    packer.add("/a.js", b"x" * 60)
    packer.add("/b.js", b"x" * 40)
    packer.add("/unused.js", b"x" * 1000)
    monkeypatch.setattr(bundle, "MAX_BUNDLE_BYTES", 100)
    bundle._check(result, [], packer, lambda _: None)
    monkeypatch.setattr(bundle, "MAX_BUNDLE_BYTES", 99)
    with pytest.raises(DependencyError, match="hold more than 99 bytes"):
        bundle._check(result, [], packer, lambda _: None)
