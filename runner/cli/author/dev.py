"""`actionbox dev`: the console on a folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from runner.cli.inputs import gather_secrets
from runner.dev.serve import dev
from runner.tenant.plan import SHARED


def dev_command(
    folder: Path,
    secrets: Sequence[str],
    secrets_file: Path | None,
    *,
    port: int | None,
    workers: int | None,
    opens: bool,
) -> None:
    """Serve until Ctrl+C."""
    given = gather_secrets(secrets, secrets_file)
    dev(folder, {SHARED: given.shared, **given.by_action}, port=port, workers=workers, opens=opens)
