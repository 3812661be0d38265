"""The parts of a `package.json` that matter for resolving."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

_NATIVE_SCRIPTS: Final = ("node-gyp", "prebuild", "node-pre-gyp", "cmake-js")
_INSTALL_SCRIPTS: Final = ("preinstall", "install", "postinstall")


@dataclass(frozen=True, slots=True)
class Manifest:
    """One version of a package.

    Attributes:
        dependencies: name to wanted version, the optional ones left out.
        optional: those that may fail.
        peers: those that must be beside it; `optional_peers` name the ones that need not.
        bundled: dependencies that come inside the tarball.
        systems, processors: `os` and `cpu`.
        deprecated: the author's warning, or empty.
        integrity: `sha512-…` as the source states it, or empty.
        shasum: SHA-1 in hex, of packages so old that they have no integrity.
        tarball: where the source says the tarball is.
        native: it compiles or downloads machine code when it is installed.
        scripts: it has install scripts, which never run.
    """

    name: str
    version: str
    dependencies: Mapping[str, str] = field(default_factory=dict)
    optional: Mapping[str, str] = field(default_factory=dict)
    peers: Mapping[str, str] = field(default_factory=dict)
    optional_peers: frozenset[str] = frozenset()
    bundled: frozenset[str] = frozenset()
    systems: tuple[str, ...] = ()
    processors: tuple[str, ...] = ()
    deprecated: str = ""
    integrity: str = ""
    shasum: str = ""
    tarball: str = ""
    native: bool = False
    scripts: bool = False


def read_manifest(data: Any) -> Manifest | None:
    """The manifest in parsed JSON, None when it has no name or version. Parts of a wrong type are passed
    over, as npm does."""
    if not isinstance(data, dict) or not isinstance(data.get("name"), str):
        return None
    if not isinstance(data.get("version"), str):
        return None
    optional = _strings(data.get("optionalDependencies"))
    dependencies = {
        name: wanted for name, wanted in _strings(data.get("dependencies")).items() if name not in optional
    }
    scripts = _strings(data.get("scripts"))
    commands = " ".join(scripts.get(name, "") for name in _INSTALL_SCRIPTS)
    dist = _mapping(data.get("dist"))
    bundled = data.get("bundleDependencies", data.get("bundledDependencies"))
    return Manifest(
        name=data["name"],
        version=data["version"],
        dependencies=dependencies,
        optional=optional,
        peers=_strings(data.get("peerDependencies")),
        optional_peers=_optional_peers(data.get("peerDependenciesMeta")),
        bundled=frozenset(dependencies) if bundled is True else frozenset(_list(bundled)),
        systems=tuple(_list(data.get("os"))),
        processors=tuple(_list(data.get("cpu"))),
        deprecated=data["deprecated"][:500] if isinstance(data.get("deprecated"), str) else "",
        integrity=_text(dist.get("integrity")),
        shasum=_text(dist.get("shasum")),
        tarball=_text(dist.get("tarball")),
        native=data.get("gypfile") is True or any(tool in commands for tool in _NATIVE_SCRIPTS),
        scripts=bool(commands.strip()) or data.get("hasInstallScript") is True,
    )


def parse_manifest(text: bytes) -> Manifest | None:
    """The manifest in a `package.json`; None when it is none."""
    try:
        return read_manifest(json.loads(text.decode("utf-8-sig")))
    except (ValueError, RecursionError):
        return None


def runs_here(manifest: Manifest) -> bool:
    """Whether `os` and `cpu` admit an Action: it counts as Linux, on a processor that is WebAssembly."""
    return _admits(manifest.systems, "linux") and _admits(manifest.processors, "wasm32")


def _admits(listed: tuple[str, ...], own: str) -> bool:
    if f"!{own}" in listed:
        return False
    wanted = [item for item in listed if not item.startswith("!")]
    return not wanted or own in wanted or "any" in wanted


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _strings(value: Any) -> dict[str, str]:
    if not isinstance(value, dict):
        return {}
    return {name: item for name, item in value.items() if isinstance(item, str)}


def _optional_peers(value: Any) -> frozenset[str]:
    if not isinstance(value, dict):
        return frozenset()
    return frozenset(
        name for name, item in value.items() if isinstance(item, dict) and item.get("optional") is True
    )


def _list(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
