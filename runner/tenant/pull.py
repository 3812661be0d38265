"""Writing what a tenant has on the service to a folder."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from runner.model.errors import InputError
from runner.tenant.project import MANIFEST, dump
from runner.tenant.remote import Remote, RemoteUnit

_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._-]+")
_PYTHON: Final = "python"


def pull(remote: Remote, folder: Path, *, force: bool) -> list[Path]:
    """Write the project file and a source file for each Action and module; the files written.

    Files that exist with other contents are replaced only when `force` says so: nothing is written
    before all of them were looked at.

    Raises:
        InputError: `would_overwrite`.
    """
    files: dict[Path, str] = {}
    manifest: dict[str, Any] = {}
    actions = {name: _entry(unit, files, folder) for name, unit in sorted(remote.actions.items())}
    modules = {name: _entry(unit, files, folder) for name, unit in sorted(remote.modules.items())}
    for name, entries in (("modules", modules), ("actions", actions)):
        if entries:
            manifest[name] = entries
    bindings = {trigger: list(names) for trigger, names in remote.bindings.items() if names}
    if bindings:
        manifest["bindings"] = bindings
    files[folder / MANIFEST] = dump(manifest)
    changed = [path for path, text in files.items() if _differs(path, text)]
    if changed and not force:
        raise InputError(
            "would_overwrite",
            f"{changed[0]} exists and is different"
            + (f", and {len(changed) - 1} more" if len(changed) > 1 else ""),
            next_step="Commit or move your files, then use --force; or pull to another folder.",
        )
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="")
    return list(files)


def _differs(path: Path, text: str) -> bool:
    try:
        return path.read_bytes() != text.encode("utf-8")
    except FileNotFoundError:
        return False


def _entry(unit: RemoteUnit, files: dict[Path, str], folder: Path) -> dict[str, Any]:
    """The entry of the project file; the source goes to `files`, byte for byte."""
    suffix = ".py" if unit.runtime.startswith(_PYTHON) else ".js"
    file = _file_name(
        unit.name,
        suffix,
        "" if unit.trigger else "modules/",
        {str(path.relative_to(folder)) for path in files},
    )
    files[folder / file] = unit.code
    entry: dict[str, Any] = {"file": file}
    if unit.trigger:
        entry |= {"trigger": unit.trigger, "runtime": unit.runtime}
    members: Mapping[str, Any] = {
        "dependencies": dict(unit.dependencies),
        "secrets": list(unit.secrets),
        "modules": dict(unit.modules),
    }
    entry |= {name: value for name, value in members.items() if value}
    if unit.trigger and not unit.current:
        entry["deploy"] = False
    return entry


def _file_name(name: str, suffix: str, folder: str, taken: set[str]) -> str:
    """A name that is safe on every system and not in `taken`, also where case does not count."""
    stem = _UNSAFE.sub("-", name).strip(".-") or "action"
    lowered = {item.lower() for item in taken}
    number = 1
    while True:
        file = f"{folder}{stem}{'' if number == 1 else f'-{number}'}{suffix}"
        if file.lower() not in lowered:
            return file
        number += 1
