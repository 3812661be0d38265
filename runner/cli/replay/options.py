"""The command line of `replay`."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer

from runner.cli.options import FilePath, SecretOption, SecretsFile


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayOptions:
    """Options of `replay`."""

    record: Annotated[
        str,
        typer.Argument(
            metavar="EXECUTION|FILE|DIR",
            help="Id of an execution of the service, a record's file, or a folder of them.",
        ),
    ]
    secret: SecretOption = field(default_factory=list)
    secrets: SecretsFile = None
    reveal: Annotated[
        str | None,
        typer.Option(
            "--reveal",
            metavar="REASON",
            help="Ask the service for the plain form; the reason is audited (scope reveal:execution_data).",
        ),
    ] = None
    save: Annotated[
        FilePath, typer.Option("--save", metavar="FILE", help="Keep the record that the service gave.")
    ] = None
    draft: Annotated[
        FilePath, typer.Option("--with", metavar="ACTION", help="Run this file in place of an Action.")
    ] = None
    action: Annotated[
        str | None,
        typer.Option("--action", metavar="NAME", help="The Action that --with or --log is about."),
    ] = None
    case: Annotated[
        FilePath, typer.Option("--case", metavar="FILE", help="Write a test case (*.case.yaml) of it.")
    ] = None
    log: Annotated[
        list[str],
        typer.Option(
            "--log",
            metavar="'FILE:LINE EXPRESSION'",
            help="Print an expression each time that the line is passed; may be repeated.",
        ),
    ] = field(default_factory=list)
    step: Annotated[bool, typer.Option("--step", help="Walk through the host calls one by one.")] = False
    watch: Annotated[
        bool, typer.Option("--watch", "-w", help="With --with: run again when the file changes.")
    ] = False
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON and nothing else.")] = (
        False
    )


def files_of(options: ReplayOptions) -> list[Path]:
    """Files whose change is a reason to run again."""
    return [path for path in (options.draft, options.secrets) if path is not None]
