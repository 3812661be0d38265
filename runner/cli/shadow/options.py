"""The command line of `shadow`."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer

from runner.cli.options import FilePath, SecretOption, SecretsFile


@dataclass(frozen=True, slots=True, kw_only=True)
class ShadowOptions:
    """Options of `shadow`."""

    draft: Annotated[
        Path | None,
        typer.Argument(metavar="FILE", help="The changed Action; left out: the draft of --action."),
    ] = None
    records: Annotated[
        FilePath,
        typer.Option("--records", metavar="DIR", help="Run here, on the records in this folder."),
    ] = None
    last: Annotated[
        int | None,
        typer.Option("--last", min=1, max=5_000, help="Run on so many of the service's latest records."),
    ] = None
    live_hours: Annotated[
        float | None,
        typer.Option("--live", metavar="HOURS", min=0.001, max=168, help="On what comes, for so long."),
    ] = None
    action: Annotated[
        str | None, typer.Option("--action", metavar="NAME", help="The Action that the file is to replace.")
    ] = None
    version: Annotated[
        int | None, typer.Option("--version", min=1, help="On the service: this version of --action.")
    ] = None
    ignore: Annotated[
        FilePath,
        typer.Option("--ignore", metavar="FILE", help="Rules for expected differences (YAML or JSON)."),
    ] = None
    secret: SecretOption = field(default_factory=list)
    secrets: SecretsFile = None
    report: Annotated[
        FilePath, typer.Option("--report", metavar="FILE", help="Also write the JSON report.")
    ] = None
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON and nothing else.")] = (
        False
    )
