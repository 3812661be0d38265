"""`actionbox shadow`."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runner.cli.inputs import gather_secrets
from runner.cli.replay.changed import Draft
from runner.cli.shadow.local import shadow_folder
from runner.cli.shadow.options import ShadowOptions
from runner.cli.shadow.rules import read_rules
from runner.cli.shadow.show import show_report
from runner.cli.tenant.connection import Target
from runner.cli.terminal import output_console
from runner.model.errors import InputError


def shadow_command(options: ShadowOptions, target: Target) -> None:
    """Run and exit: 0 nothing differs, 1 something does, 2 a record, or nothing, could be used."""
    rules = read_rules(options.ignore)
    report: Mapping[str, Any]
    unusable = 0
    if options.records is not None:
        if options.draft is None or options.last is not None or options.live_hours is not None:
            raise InputError(
                "invalid_option",
                "--records takes a file; --last and --live are for records of a service",
            )
        draft = Draft(options.draft, options.action)
        secrets = gather_secrets(options.secret, options.secrets)
        made, unusable = shadow_folder(options.records, draft, secrets, rules)
        report = made.model_dump(mode="json", by_alias=True)
    else:
        from runner.cli.shadow.remote import shadow_service

        report = shadow_service(target.api(), options, rules)
    text = json.dumps(report, indent=2)
    if options.report is not None:
        _write(options.report, text)
    if options.as_json:
        sys.stdout.write(text + "\n")
    else:
        show_report(report, output_console())
    sys.exit(1 if report["different"] else 2 if unusable or not report["compared"] else 0)


def _write(path: Path, text: str) -> None:
    """Raises `InputError` (`unwritable`)."""
    try:
        path.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise InputError("unwritable", f"report {path} cannot be written: {error.strerror}") from None
