"""`--record-stubs`: what requests were answered with, as a file for `--stub`."""

from __future__ import annotations

import os
from pathlib import Path

import yaml

from runner.cli.terminal import error_console, line
from runner.model.errors import InputError
from sandbox.egress import Egress, RecordingEgress

_HEAD = """\
# Answers of a real run, for `--stub` and for `fetch` in case files. They may hold tokens and personal data:
# look through them before you share them.
"""


def write_stubs(path: Path, egress: Egress) -> None:
    """Write what `egress` recorded, readable by the owner only. Nothing, when it does not record.

    Raises:
        InputError: `unwritable`.
    """
    if not isinstance(egress, RecordingEgress):
        return
    stubs = egress.stubs()
    text = _HEAD + yaml.safe_dump(stubs, allow_unicode=True, sort_keys=False, width=110)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        message = f"stubs cannot be written to {path}: {error.strerror}"
        raise InputError("unwritable", message, source=str(path)) from None
    count = f"{len(stubs)} stub{'' if len(stubs) == 1 else 's'}"
    error_console().print(line((f"{count} written to {path}", "dim")))
