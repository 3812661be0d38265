"""From declared packages and shared modules of a Python Action to a source that can be built.

    prepare(source, ["idna==3.10"], folder=Path("wheels"))

Names and versions are exact, wheels come from one folder and nowhere else, and nothing of them is run before
the sandbox compiles it under the policy.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename
from packaging.version import Version

from sandbox.core.caps import MAX_DEPENDENCIES, MAX_PACKAGE_NAME, MAX_PACKAGE_VERSION, MAX_WHEEL_BYTES
from sandbox.core.program import Dependencies, Language, PackageFile, SharedModule, Source, python_name
from sandbox.packages.errors import DependencyError
from sandbox.packages.wheels.archive import Wheel, read_wheel
from sandbox.packages.wheels.lock import LockedWheel, WheelLock

_MODULE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,99}")


@dataclass(frozen=True, slots=True)
class PythonModule:
    """A version of an Actions Module in Python, with packages of its own.

    Attributes:
        name: under which it is imported from `actions`; a hyphen is an underscore there.
        requirements: `name==version` of each package.
        lock: of these, when they were locked before.
    """

    name: str
    filename: str
    text: str
    requirements: tuple[str, ...] = ()
    lock: WheelLock | None = None


@dataclass(frozen=True, slots=True)
class Prepared:
    """A source with everything that it may import.

    Attributes:
        lock: of the Action's own packages; keep it with the version.
        module_locks: by name of the module.
    """

    source: Source
    lock: WheelLock
    module_locks: Mapping[str, WheelLock]


def parse_requirement(text: str) -> tuple[str, str]:
    """Normalised name and version of `name==version`.

    Raises:
        DependencyError: `version`: it says anything else.
    """
    try:
        if len(text) > MAX_PACKAGE_NAME + MAX_PACKAGE_VERSION:
            raise ValueError(text)
        found = Requirement(text)
        (one,) = found.specifier
        if one.operator != "==" or found.extras or found.marker or len(found.name) > MAX_PACKAGE_NAME:
            raise ValueError(text)
        return canonicalize_name(found.name), str(Version(one.version))
    except (InvalidRequirement, ValueError):
        raise DependencyError(
            "version",
            f"{text[:100]!r} does not name one version of a package.",
            next_step="Write name==version, e.g. idna==3.10.",
        ) from None


def pinned(name: str, wanted: str, folder: Path | None) -> str:
    """`name==version` for a version as the Management API takes it: exact (also as `==version`), or blank or
    `latest` for the newest final one in `folder`.

    Raises:
        DependencyError: `version`: a range, or no version at all; `not-found`.
    """
    found, version = check_requirement(name, wanted)
    return f"{found}=={version or _newest(found, folder)}"


def check_requirement(name: str, wanted: str) -> tuple[str, str]:
    """Normalised name, and version; "" for the newest. Raises `DependencyError` (`version`) as `pinned`."""
    version = wanted.strip().removeprefix("==").strip()
    newest = version.lower() in ("", "latest")
    found, exact = parse_requirement(f"{name}=={'0' if newest else version}")
    return found, "" if newest else exact


def _newest(name: str, folder: Path | None) -> str:
    if folder is None or not folder.is_dir():
        raise _no_folder(name, folder)
    final = [item.version for item in _wheels(folder, name) if item.pure and not item.version.is_prerelease]
    if not final:
        raise _no_wheel(name, name, folder, native=False)
    return str(max(final))


def prepare(
    source: Source,
    requirements: Sequence[str] = (),
    *,
    folder: Path | None,
    modules: Sequence[PythonModule] = (),
    lock: WheelLock | None = None,
) -> Prepared:
    """`source` with its packages and shared modules. Without any, the source stays as it is.

    Args:
        requirements: `name==version` of each package of the Action.
        folder: of wheels; None for none, which refuses every package.
        lock: of an earlier build; a wheel with other bytes is refused.

    Raises:
        DependencyError: see there.
    """
    if source.language is not Language.PYTHON:
        raise DependencyError("kind", "Wheels and Python modules are for Python Actions.")
    if not requirements and not modules:
        return Prepared(source, WheelLock(), {})
    own, files = _resolve("", requirements, folder, lock)
    locks: dict[str, WheelLock] = {}
    for module in modules:
        name = _checked_name(module.name)
        if any(python_name(name) == python_name(known) for known in locks):
            raise DependencyError(
                "name", f"There are two modules that are imported as {python_name(name)!r}."
            )
        locks[name], more = _resolve(python_name(name), module.requirements, folder, module.lock)
        files += more
    shared = tuple(
        SharedModule(item.name, item.filename, item.text)
        for item in sorted(modules, key=lambda item: item.name)
    )
    ordered = tuple(sorted(files, key=lambda file: (file.scope, file.name)))
    return Prepared(replace(source, dependencies=Dependencies.of(b"", (), shared, ordered)), own, locks)


def _checked_name(name: str) -> str:
    if not _MODULE.fullmatch(name):
        raise DependencyError(
            "name",
            f"{name[:100]!r} cannot be the name of a module of a Python Action.",
            next_step="Use letters, digits, underscores and hyphens.",
        )
    return name


def _resolve(
    scope: str, requirements: Sequence[str], folder: Path | None, lock: WheelLock | None
) -> tuple[WheelLock, list[PackageFile]]:
    wanted: dict[str, str] = {}
    for text in requirements:
        name, version = parse_requirement(text)
        if wanted.setdefault(name, version) != version:
            raise DependencyError("version", f"{name} is wanted in two versions.", package=name)
    if len(wanted) > MAX_DEPENDENCIES:
        raise DependencyError("cap", f"An Action may name at most {MAX_DEPENDENCIES} packages.")
    known = {item.name: item for item in lock.wheels} if lock is not None else {}
    locked, files = [], list[PackageFile]()
    tops: dict[str, str] = {}
    for name, version in sorted(wanted.items()):
        wheel, digest = _find(name, version, folder)
        before = known.get(name)
        if before is not None and before.version == version and before.sha256 != digest:
            raise DependencyError(
                "integrity",
                f"The wheel of {name}=={version} has other bytes than the locked one.",
                package=f"{name}=={version}",
                next_step="Put the locked wheel back, or delete its entry in the lock file.",
            )
        locked.append(LockedWheel(name, version, digest))
        for file in _package_files(scope, wheel):
            top = file.name.partition(".")[0]
            if tops.setdefault(top, name) != name:
                raise DependencyError("name", f"Both {tops[top]} and {name} hold a package {top!r}.")
            files.append(file)
    return WheelLock(tuple(locked)), files


def _find(name: str, version: str, folder: Path | None) -> tuple[Wheel, str]:
    """The wheel, and the SHA-256 of its bytes. Its file name finds it; what is in it must agree."""
    label = f"{name}=={version}"
    if folder is None or not folder.is_dir():
        raise _no_folder(label, folder)
    fitting = [item for item in _wheels(folder, name) if str(item.version) == version]
    pure = [item.path for item in fitting if item.pure]
    if not pure:
        raise _no_wheel(label, name, folder, native=bool(fitting))
    path = pure[0]
    try:
        with path.open("rb") as file:
            data = file.read(MAX_WHEEL_BYTES + 1)
    except OSError as error:
        raise DependencyError("not-found", f"{path.name} cannot be read: {error.strerror}.") from None
    if len(data) > MAX_WHEEL_BYTES:
        raise DependencyError("cap", f"{path.name} is larger than {MAX_WHEEL_BYTES} bytes.", package=label)
    wheel = read_wheel(data, path.name)
    if (wheel.name, wheel.version) != (name, version):
        raise DependencyError(
            "integrity",
            f"The wheel {path.name} holds {wheel.name} {wheel.version}.",
            package=label,
            next_step="Get the wheel again from where it came.",
        )
    return wheel, hashlib.sha256(data).hexdigest()


def _no_folder(label: str, folder: Path | None) -> DependencyError:
    """Of a folder that is not there the path is not told: it is the host's."""
    return DependencyError(
        "not-found",
        f"{label} is wanted, but there is no folder of wheels"
        + ("." if folder is None else " where there should be one."),
        package=label,
        next_step="Name one: `--wheels DIR`, or ACTIONBOX_WHEELS, which a service's operator sets.",
    )


@dataclass(frozen=True, slots=True)
class _File:
    """A wheel as its file name tells of it. `pure`: for any machine."""

    version: Version
    pure: bool
    path: Path


def _wheels(folder: Path, name: str) -> list[_File]:
    found = []
    for path in sorted(folder.glob("*.whl")):
        try:
            distribution, version, _, tags = parse_wheel_filename(path.name)
        except InvalidWheelFilename:
            continue
        if distribution == name:
            pure = any((tag.abi, tag.platform) == ("none", "any") for tag in tags)
            found.append(_File(version, pure, path))
    return found


def _no_wheel(label: str, name: str, folder: Path, *, native: bool) -> DependencyError:
    if native:
        return DependencyError(
            "native",
            f"The wheel of {label} is for one kind of machine; Actions run pure Python only.",
            package=label,
            next_step="Use a package whose wheel is named …-none-any.whl.",
        )
    versions = [str(item.version) for item in _wheels(folder, name)]
    there = f"; there is {', '.join(versions[:20])}" if versions else ""
    return DependencyError(
        "not-found",
        f"There is no wheel of {label} in the folder of wheels{there}.",
        package=label,
        next_step="Put it there (`pip download --only-binary :all: --no-deps`), or correct the version.",
    )


def _package_files(scope: str, wheel: Wheel) -> Iterator[PackageFile]:
    folder = f"{wheel.name}-{wheel.version}"
    for path, text in wheel.modules.items():
        parts = path.removesuffix(".py").split("/")
        is_package = parts[-1] == "__init__"
        name = ".".join(parts[:-1] if is_package else parts)
        if name:
            shown = f"{scope}/{folder}/{path}" if scope else f"{folder}/{path}"
            yield PackageFile(scope, name, shown, text, is_package)
