"""The lock of an Action version: names and versions of its wheels, and SHA-256 of their bytes."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Final

from sandbox.core.caps import MAX_DEPENDENCIES
from sandbox.packages.errors import DependencyError

_SCHEMA: Final = 1
_SHA256: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class LockedWheel:
    """`name` is normalised; `sha256` in hex."""

    name: str
    version: str
    sha256: str


@dataclass(frozen=True, slots=True)
class WheelLock:
    """In order of name."""

    wheels: tuple[LockedWheel, ...] = ()

    @property
    def wanted(self) -> dict[str, str]:
        """Versions by name."""
        return {item.name: item.version for item in self.wheels}

    @property
    def versions(self) -> dict[str, str]:
        """As `wanted`; an npm lock has both."""
        return self.wanted

    def to_json(self) -> str:
        """Text for a lock file; no path of any folder."""
        wheels = {item.name: {"version": item.version, "sha256": item.sha256} for item in self.wheels}
        return json.dumps({"lockVersion": _SCHEMA, "wheels": wheels}, indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> WheelLock:
        """Read what `to_json` wrote; the text is trusted with nothing.

        Raises:
            DependencyError: `lock`.
        """
        try:
            data = json.loads(text)
            wheels = tuple(
                LockedWheel(str(name), str(item["version"]), str(item["sha256"]))
                for name, item in sorted(data["wheels"].items())
            )
            sound = data["lockVersion"] == _SCHEMA and len(wheels) <= MAX_DEPENDENCIES
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
            sound, wheels = False, ()
        if not sound or not all(_SHA256.fullmatch(item.sha256) for item in wheels):
            raise DependencyError(
                "lock",
                "The lock of the Python packages cannot be read.",
                next_step="Delete it; the next build locks anew.",
            )
        return cls(wheels)
