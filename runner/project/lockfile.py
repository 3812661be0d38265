"""`actionbox.lock.json` beside Actions: what was resolved for them, a section for each kind of package."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from runner.model.errors import ActionError

LOCK_FILE: Final = "actionbox.lock.json"


class LockFile:
    """One section of the lock file of a folder: locks by file name of the Action, or by `actions:MODULE`."""

    def __init__(self, folder: Path, section: str) -> None:
        """Raises `ActionError` (`invalid_package_json`) for a file that is no JSON object."""
        self._path = folder / LOCK_FILE
        self._section = section
        self._data = dict(read_json(self._path)) if self._path.is_file() else {}
        found = self._data.get(section)
        self._known: dict[str, Any] = dict(found) if isinstance(found, dict) else {}

    def get(self, key: str) -> str | None:
        """The lock of `key` as JSON text, None when there is none."""
        found = self._known.get(key)
        return None if found is None else json.dumps(found)

    def put(self, locks: Mapping[str, str], say: Callable[[str], None]) -> None:
        """Keep `locks`, JSON texts; a file that cannot be written is told to `say`."""
        known = self._known | {key: json.loads(text) for key, text in locks.items()}
        if known == self._known:
            return
        self._known = known
        data = {**self._data, self._section: dict(sorted(known.items()))}
        try:
            self._path.write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")
        except OSError as error:
            say(f"{self._path.name} could not be written: {error.strerror}")


def read_json(path: Path) -> Mapping[str, Any]:
    """A JSON object in a file. Raises `ActionError` (`invalid_package_json`)."""
    try:
        data = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise invalid(path, f"cannot be read as JSON: {error}") from None
    if not isinstance(data, dict):
        raise invalid(path, "must be a JSON object")
    return data


def invalid(path: Path, problem: str, code: str = "invalid_package_json") -> ActionError:
    """`path` declares or locks packages in a way that cannot be used."""
    anew = ", or delete it to resolve anew" if path.name == LOCK_FILE else ""
    return ActionError(code, f"{path}: {problem}", next_step=f"Correct the file{anew}.", source=str(path))
