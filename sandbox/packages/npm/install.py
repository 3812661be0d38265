"""From wanted versions to a lock, and from a lock to verified files. Nothing of a package is executed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sandbox.core.caps import MAX_DEPENDENCIES, MAX_PACKAGES_BYTES
from sandbox.packages.errors import DependencyError
from sandbox.packages.npm import archive
from sandbox.packages.npm.lock import Lock, Locked, sha512
from sandbox.packages.npm.manifest import Manifest, parse_manifest
from sandbox.packages.npm.names import check_name, check_wanted
from sandbox.packages.npm.origin import Origin
from sandbox.packages.npm.resolver import Node, resolve
from sandbox.packages.npm.store import TarballStore

Say = Callable[[str], None]
_CODE: Final = (".js", ".cjs", ".mjs", ".json")
"""What a bundler may need; the rest of a package stays in its tarball."""
_NATIVE_FILES: Final = (".node",)
_GYP: Final = "binding.gyp"


@dataclass(frozen=True, slots=True)
class Wanted:
    """One dependency as an Action declares it: `{name, version}`; a blank version is `latest`."""

    name: str
    version: str = ""


def check_wanted_list(wanted: list[Wanted] | tuple[Wanted, ...]) -> dict[str, str]:
    """Name to version. Raises `DependencyError` (`name`, `version`, `cap`)."""
    checked: dict[str, str] = {}
    for item in wanted:
        name = check_name(item.name)
        if name in checked:
            raise DependencyError("name", f"The dependency {name} is given twice.", package=name)
        checked[name] = check_wanted(name, item.version)
    if len(checked) > MAX_DEPENDENCIES:
        raise DependencyError(
            "cap",
            f"{len(checked)} dependencies are given; an Action may have {MAX_DEPENDENCIES}.",
            next_step="Leave out those that are not required.",
        )
    return checked


def make_lock(wanted: Mapping[str, str], origin: Origin, store: TarballStore, say: Say) -> Lock:
    """Resolve `wanted` (of `check_wanted_list`) and fetch what it needs.

    Raises:
        DependencyError: see there.
    """
    root = resolve(wanted, origin, say)
    nodes = [node for node in root.within() if node.manifest is not None]
    origin.expect_tarballs(node.manifest for node in nodes if node.manifest is not None)
    locked = []
    dropped: list[str] = []
    for node in sorted(nodes, key=lambda node: node.path):
        if any(node.path.startswith(path + "/") for path in dropped):
            continue
        try:
            locked.append(_lock_node(node, origin, store))
        except DependencyError as error:
            if not node.optional:
                raise
            say(f"left out optional {node.name}: {error.message}")
            dropped.append(node.path)
    return Lock(tuple(sorted(wanted.items())), tuple(locked))


def _lock_node(node: Node, origin: Origin, store: TarballStore) -> Locked:
    manifest = node.manifest
    assert manifest is not None  # only the root has none
    label = f"{manifest.name}@{manifest.version}"
    stated = next((part for part in manifest.integrity.split() if part.startswith("sha512-")), "")
    data = store.get(stated) if stated else None
    if data is None:
        data = origin.tarball(manifest)
        _verify_stated(data, manifest, stated, label)
        store.put(data)
    if _has_machine_code(data, manifest.name, manifest.version):
        raise DependencyError(
            "native",
            f"{label} is a native add-on: it needs machine code that is compiled when it is installed.",
            package=label,
            next_step="Use a package that is written in JavaScript alone.",
        )
    return Locked(node.path, manifest.name, manifest.version, sha512(data), node.optional)


def _verify_stated(data: bytes, manifest: Manifest, stated: str, label: str) -> None:
    """Compare with what the origin says of its own bytes."""
    if stated:
        same = sha512(data) == stated
    else:
        same = hashlib.sha1(data, usedforsecurity=False).hexdigest() == manifest.shasum
    if not same:
        raise _altered(label, "what the registry states")


def _altered(label: str, than: str) -> DependencyError:
    return DependencyError(
        "integrity",
        f"The bytes of {label} differ from {than}.",
        package=label,
        next_step="Do not use this package until it is known who changed it; choose another version.",
    )


def _files(data: bytes, name: str, version: str) -> Iterator[tuple[str, bytes]]:
    """What `archive.files` gives, of the archive of this version of a package.

    Raises:
        DependencyError: `archive`, at its end at the latest, when its package.json names another one or is
            missing; what reading it raises.
    """
    label = f"{name}@{version}"
    described = False
    for path, content in archive.files(data, label):
        if path == archive.MANIFEST:
            described = True
            _check_manifest(parse_manifest(content), name, version)
        yield path, content
    if not described:
        raise DependencyError("archive", f"The archive of {label} has no package.json.", package=label)


def _check_manifest(manifest: Manifest | None, name: str, version: str) -> None:
    if manifest is None or (manifest.name, manifest.version.removeprefix("v")) != (name, version):
        label, found = (
            f"{name}@{version}",
            "nothing" if manifest is None else f"{manifest.name}@{manifest.version}",
        )
        raise DependencyError(
            "archive", f"The archive of {label} says that it is {found[:200]}.", package=label
        )


def _has_machine_code(data: bytes, name: str, version: str) -> bool:
    """Whether the archive needs a compiler. Reads all of it."""
    found = False
    for path, content in _files(data, name, version):
        if path == archive.MANIFEST:
            manifest = parse_manifest(content)
            found |= manifest is not None and manifest.native
        found |= path == _GYP or path.endswith(_NATIVE_FILES)
    return found


def unpack(
    lock: Lock,
    origin: Callable[[], Origin],
    store: TarballStore,
    folder: Path,
    keep: Callable[[str, bytes], None] = lambda _path, _content: None,
) -> None:
    """Put the code of every locked package below `folder`.

    Args:
        origin: asked for when a tarball is not in `store`.
        keep: given every file as it is, code or not: (path below `folder`, content).

    Raises:
        DependencyError: `integrity` when bytes are not those that were locked; what fetching and unpacking
            raises.
    """
    total = 0
    for item in lock.packages:
        data = _locked_bytes(item, origin, store)
        target = folder / item.path
        target.mkdir(parents=True, exist_ok=True)
        for path, content in _files(data, item.name, item.version):
            keep(f"{item.path}/{path}", content)
            if not path.endswith(_CODE) and "." in path.rpartition("/")[2]:
                continue
            total += len(content)
            if total > MAX_PACKAGES_BYTES:
                raise DependencyError(
                    "cap",
                    f"The dependencies hold more than {MAX_PACKAGES_BYTES} bytes of code.",
                    package=item.label,
                    next_step="Depend on fewer or smaller packages.",
                )
            _write(target / path, content)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("xb") as file:
        file.write(content)


def _locked_bytes(item: Locked, find: Callable[[], Origin], store: TarballStore) -> bytes:
    data = store.get(item.integrity)
    if data is not None:
        return data
    origin = find()
    manifest = origin.offer(item.name).versions.get(item.version)
    if manifest is None:
        raise DependencyError(
            "not-found", f"{item.label} is locked but no longer to be had.", package=item.label
        )
    data = origin.tarball(manifest)
    if sha512(data) != item.integrity:
        raise _altered(item.label, "those that were locked")
    store.put(data)
    return data
