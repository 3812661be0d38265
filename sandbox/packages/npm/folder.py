"""Packages from a folder of tarballs, for offline use and tests; what is in them says what they are."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from sandbox.core.caps import MAX_TARBALL_BYTES
from sandbox.packages.errors import DependencyError
from sandbox.packages.npm.archive import manifest_text
from sandbox.packages.npm.lock import sha512
from sandbox.packages.npm.manifest import Manifest, parse_manifest
from sandbox.packages.npm.origin import Offer
from sandbox.packages.npm.semver import InvalidVersionError, Version, parse_version


class FolderOrigin:
    """Implements `sandbox.packages.npm.origin.Origin` over the `*.tgz` files of a folder, read when used."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._offers: dict[str, dict[str, Manifest]] | None = None

    def offer(self, name: str) -> Offer:
        """See `Origin.offer`."""
        versions = self._index().get(name)
        if not versions:
            raise DependencyError(
                "not-found",
                f"There is no tarball of {name} in the folder of packages.",
                package=name,
                next_step="Put one there (`npm pack`), or use a registry.",
            )
        releases = [version for version in versions if not _parsed(version).pre] or list(versions)
        return Offer(versions, {"latest": max(releases, key=_parsed)})

    def expect(self, names: Iterable[str]) -> None:
        """See `Origin.expect`."""

    def tarball(self, manifest: Manifest) -> bytes:
        """See `Origin.tarball`."""
        return self._read(self._folder / manifest.tarball)

    def expect_tarballs(self, manifests: Iterable[Manifest]) -> None:
        """See `Origin.expect_tarballs`."""

    def close(self) -> None:
        """See `Origin.close`."""

    def _index(self) -> dict[str, dict[str, Manifest]]:
        with self._lock:
            if self._offers is None:
                self._offers = self._scan()
            return self._offers

    def _scan(self) -> dict[str, dict[str, Manifest]]:
        if not self._folder.is_dir():
            raise DependencyError(
                "not-found",
                f"There is no folder {self._folder}.",
                next_step="Check the path of the packages.",
            )
        offers: dict[str, dict[str, Manifest]] = {}
        for path in sorted(self._folder.glob("*.tgz")):
            data = self._read(path)
            manifest = parse_manifest(manifest_text(data, path.name))
            if manifest is None or not _is_version(manifest.version):
                raise DependencyError("archive", f"{path.name} holds no npm package.", package=path.name)
            known = replace(manifest, tarball=path.name, integrity=sha512(data))
            offers.setdefault(manifest.name, {})[manifest.version] = known
        return offers

    def _read(self, path: Path) -> bytes:
        try:
            with path.open("rb") as file:
                data = file.read(MAX_TARBALL_BYTES + 1)
        except OSError as error:
            raise DependencyError("not-found", f"{path} cannot be read: {error.strerror}.") from error
        if len(data) > MAX_TARBALL_BYTES:
            raise DependencyError(
                "cap", f"{path.name} is larger than {MAX_TARBALL_BYTES} bytes.", package=path.name
            )
        return data


def _parsed(version: str) -> Version:
    return parse_version(version)


def _is_version(text: str) -> bool:
    try:
        parse_version(text)
    except InvalidVersionError:
        return False
    return True
