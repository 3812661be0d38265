"""The lock of an Action version: the resolved packages, so that every later build has the same bytes."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any, Final

from sandbox.core.caps import MAX_PACKAGE_DEPTH, MAX_PACKAGES
from sandbox.packages.errors import DependencyError
from sandbox.packages.npm.names import check_name
from sandbox.packages.npm.semver import InvalidVersionError, parse_version

_SCHEMA: Final = 1
_INTEGRITY: Final = re.compile(r"sha512-[A-Za-z0-9+/]{86}==")
_FOLDER: Final = "node_modules/"


@dataclass(frozen=True, slots=True)
class Locked:
    """One package in its place.

    Attributes:
        path: its folder, such as `node_modules/a/node_modules/@b/c`.
        name: as the package itself has it; an alias shows in `path` only.
        integrity: `sha512-…` of the tarball.
        optional: the Action can do without it.
    """

    path: str
    name: str
    version: str
    integrity: str
    optional: bool = False

    @property
    def label(self) -> str:
        return f"{self.name}@{self.version}"


@dataclass(frozen=True, slots=True)
class Lock:
    """A complete resolution.

    Attributes:
        wanted: name and wanted version of each dependency, in order of name.
        packages: in order of path.
    """

    wanted: tuple[tuple[str, str], ...] = ()
    packages: tuple[Locked, ...] = ()

    @property
    def digest(self) -> str:
        """Names the exact set of bytes, in hex."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()

    @property
    def versions(self) -> dict[str, str]:
        """The concrete version of each dependency of the Action itself."""
        found = {item.path.removeprefix(_FOLDER): item.version for item in self.packages}
        return {name: found[name] for name, _ in self.wanted if name in found}

    def to_json(self) -> str:
        """Text for a lock file: names, versions and hashes, no address of any registry."""
        packages = {}
        for item in self.packages:
            packages[item.path] = {"name": item.name, "version": item.version, "integrity": item.integrity}
            if item.optional:
                packages[item.path]["optional"] = True  # type: ignore[assignment]
        data = {"lockVersion": _SCHEMA, "dependencies": dict(self.wanted), "packages": packages}
        return json.dumps(data, indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Lock:
        """Read what `to_json` wrote; the text is trusted with nothing.

        Raises:
            DependencyError: `lock`.
        """
        try:
            data = json.loads(text)
            wanted = tuple((str(name), str(version)) for name, version in data["dependencies"].items())
            packages = tuple(_read(path, item) for path, item in data["packages"].items())
            known = data["lockVersion"] == _SCHEMA
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
            raise _unreadable("it is damaged") from error
        if not known or len(packages) > MAX_PACKAGES:
            raise _unreadable("another version of actionbox wrote it")
        return cls(wanted, packages)


def sha512(data: bytes) -> str:
    """The integrity of `data`, as npm writes it."""
    return "sha512-" + base64.b64encode(hashlib.sha512(data).digest()).decode()


def _read(path: str, item: Any) -> Locked:
    names = path.removeprefix(_FOLDER).split("/" + _FOLDER)
    if not path.startswith(_FOLDER) or len(names) > MAX_PACKAGE_DEPTH:
        raise ValueError(path)
    try:
        for name in (*names, item["name"]):
            check_name(name)
        parse_version(item["version"])
    except (DependencyError, InvalidVersionError) as error:
        raise ValueError(path) from error
    if not _INTEGRITY.fullmatch(item["integrity"]):
        raise ValueError(path)
    return Locked(path, item["name"], item["version"], item["integrity"], item.get("optional") is True)


def _unreadable(why: str) -> DependencyError:
    return DependencyError(
        "lock", f"The lock of the dependencies cannot be used: {why}.", next_step="Delete it to resolve anew."
    )
