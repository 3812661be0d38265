"""Archives of packages, tarballs and wheels alike: safe paths (threat-model D2), and how they are refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sandbox.core.caps import MAX_PACKAGE_PATH
from sandbox.packages.errors import DependencyError

_FORBIDDEN: Final = frozenset('<>:"|?*\\') | {chr(number) for number in range(32)} | {"\x7f"}


@dataclass(frozen=True, slots=True)
class Archive:
    """An archive in messages.

    Attributes:
        package: its name, to blame.
        called: what sentences begin with.
        remedy: the next step when it is damaged.
    """

    package: str
    called: str
    remedy: str

    def bad(self, what: str) -> DependencyError:
        return DependencyError(
            "archive", f"{self.called} {what}.", package=self.package, next_step=self.remedy
        )

    def cap(self, what: str) -> DependencyError:
        return DependencyError(
            "cap", f"{self.called} {what}.", package=self.package, next_step="Use a smaller package."
        )

    def check_path(self, path: str) -> list[str]:
        """The parts of a path that stays below where it begins. Raises `DependencyError`."""
        parts = path.rstrip("/").split("/")
        if not all(map(is_safe_part, parts)):
            raise self.bad(f"holds the unsafe path {path[:100]!r}")
        if len(path.encode("utf-8", "replace")) > MAX_PACKAGE_PATH:
            raise self.cap(f"holds a path of more than {MAX_PACKAGE_PATH} bytes")
        return parts


def is_safe_part(part: str) -> bool:
    """Whether `part` names one file or folder, below where it stands, and the same one everywhere."""
    return part not in ("", ".", "..") and not _FORBIDDEN & set(part) and part == part.rstrip(". ")
