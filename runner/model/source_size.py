"""The cap on the source of an Action or of a shared module in a file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from runner.model.errors import ActionError
from sandbox.core.caps import DEFAULT_SOURCE_BYTES, MAX_SOURCE_BYTES, MIN_SOURCE_BYTES

SETTING: Final = "ACTIONBOX_MAX_SOURCE_BYTES"
"""The environment variable, which a service reads as its setting `max_source_bytes`."""


def most_source_bytes() -> int:
    """Bytes that a source may have here. Raises `ActionError` (`invalid_setting`)."""
    given = os.environ.get(SETTING, "").strip()
    if not given:
        return DEFAULT_SOURCE_BYTES
    if not given.isascii() or not given.isdigit() or not _in_range(int(given[:12])):
        raise ActionError(
            "invalid_setting",
            f"{SETTING} must be a whole number from {MIN_SOURCE_BYTES} to {MAX_SOURCE_BYTES}, "
            f"not {given[:40]!r}",
        )
    return int(given)


def _in_range(value: int) -> bool:
    return MIN_SOURCE_BYTES <= value <= MAX_SOURCE_BYTES


def check_size(path: Path, size: int) -> None:
    """Raises `ActionError` (`too_large`, `invalid_setting`) when a file of `size` bytes is no source."""
    most = most_source_bytes()
    if size > most:
        raise ActionError(
            "too_large",
            f"{path} is larger than {most} bytes, the most that {SETTING} allows",
            next_step=f"Move data out of the source, split the Action, or set {SETTING} "
            f"to {MAX_SOURCE_BYTES} or less.",
            source=str(path),
        )
