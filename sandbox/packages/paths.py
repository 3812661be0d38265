"""Checks that paths in an archive are safe on every file system (threat-model D2)."""

from __future__ import annotations

from typing import Final

_FORBIDDEN: Final = frozenset('<>:"|?*\\') | {chr(number) for number in range(32)} | {"\x7f"}


def is_safe_part(part: str) -> bool:
    """Whether `part` names one file or folder, below where it stands, and the same one everywhere."""
    return part not in ("", ".", "..") and not _FORBIDDEN & set(part) and part == part.rstrip(". ")
