"""Options that several commands have, as dataclasses, and what makes options of them."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

FilePath = Path | None
Texts = list[str]


def with_options(command: Callable[..., None]) -> Callable[..., None]:
    """`command` with options for the fields of its parameters that are dataclasses, but for those that it has
    itself (the argument of `login`)."""
    hints = get_type_hints(command, include_extras=True)
    shown = [
        item.replace(kind=inspect.Parameter.KEYWORD_ONLY, annotation=hints[item.name])
        for item in inspect.signature(command).parameters.values()
        if not is_dataclass(hints[item.name])
    ]
    taken = {item.name for item in shown}
    groups = {
        name: [item for item in _options(kind) if item.name not in taken]
        for name, kind in hints.items()
        if is_dataclass(kind)
    }
    shown += [item for group in groups.values() for item in group]

    @functools.wraps(command)
    def wrapper(**given: Any) -> None:
        made = {
            name: hints[name](**{item.name: given.pop(item.name) for item in group})
            for name, group in groups.items()
        }
        command(**made, **given)

    wrapper.__signature__ = inspect.Signature(shown)  # type: ignore[attr-defined]
    wrapper.__annotations__ = {item.name: item.annotation for item in shown}
    return wrapper


def _options(kind: Any) -> Iterator[inspect.Parameter]:
    """A dataclass's fields as parameters, those of its bases last."""
    hints = get_type_hints(kind, include_extras=True)
    for item in sorted(fields(kind), key=lambda item: item.name not in kind.__annotations__):
        default = item.default if item.default_factory is MISSING else item.default_factory()
        yield inspect.Parameter(
            item.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=inspect.Parameter.empty if default is MISSING else default,
            annotation=hints[item.name],
        )


ActionFiles = Annotated[
    list[Path], typer.Argument(metavar="ACTION...", help="Action files (.js, .ts, .py, …), in order.")
]
TriggerOption = Annotated[
    str | None,
    typer.Option("--trigger", "-t", help="Trigger id; found from the exported handlers if left out."),
]
StrictOption = Annotated[
    bool, typer.Option("--strict", help="Refuse an event that is not whole, as the service does.")
]
OutcomeJson = Annotated[bool, typer.Option("--json", help="Print the outcome as JSON and nothing else.")]
SecretOption = Annotated[
    Texts, typer.Option("--secret", "-s", metavar="NAME=VALUE", help="A secret; may be repeated.")
]
SecretsFile = Annotated[
    FilePath, typer.Option("--secrets", metavar="FILE", help="Secrets as a JSON object or NAME=VALUE lines.")
]


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageOptions:
    """Options for the origin of packages."""

    registry: Annotated[
        str | None,
        typer.Option("--registry", metavar="URL", help="npm registry (default: npm's own setting)."),
    ] = None
    packages: Annotated[
        FilePath,
        typer.Option(
            "--packages", metavar="DIR", help="A folder of npm tarballs to use instead of a registry."
        ),
    ] = None
    wheels: Annotated[
        FilePath,
        typer.Option("--wheels", metavar="DIR", help="The folder of wheels with Python packages of Actions."),
    ] = None

    def use(self) -> None:
        """Take them from there, and say what is going on while they are fetched."""
        from runner.cli.terminal import error_console, line
        from runner.project.dependencies import show_progress, use

        use(self.registry, self.packages, self.wheels)
        show_progress(lambda text: error_console().print(line((text, "dim"))))


@dataclass(frozen=True, slots=True, kw_only=True)
class LegOptions:
    """Options of both `run` and `resume`."""

    secrets: SecretOption = field(default_factory=list)
    secrets_file: SecretsFile = None
    timeout: Annotated[
        float | None, typer.Option("--timeout", metavar="SECONDS", help="Wall time of the flow (default 20).")
    ] = None
    memory: Annotated[
        int | None, typer.Option("--memory", metavar="MB", help="Memory of each Action (default 128).")
    ] = None
    as_json: OutcomeJson = False
    allow_private_network: Annotated[
        bool,
        typer.Option("--allow-private-network", help="Let Actions reach private and loopback addresses."),
    ] = False
    stub: Annotated[
        FilePath, typer.Option("--stub", metavar="FILE", help="Stubbed fetch answers (YAML or JSON list).")
    ] = None
    allow: Annotated[
        Texts,
        typer.Option(
            "--allow",
            metavar="RULE",
            help=r"The only hosts that Actions may reach: \[METHODS ]HOST\[:PORT]\[/PATH], repeatable.",
        ),
    ] = field(default_factory=list)
    record_stubs: Annotated[
        FilePath,
        typer.Option("--record-stubs", metavar="FILE", help="Keep the answers to requests, for --stub."),
    ] = None
    clock: Annotated[
        str | None,
        typer.Option("--clock", metavar="TIME", help="Stop the Actions' clock at a time (ISO 8601)."),
    ] = None
    seed: Annotated[
        int | None, typer.Option("--seed", metavar="N", help="Make the Actions' randomness repeatable.")
    ] = None
    record: Annotated[
        FilePath, typer.Option("--record", metavar="FILE", help="Write a record for `actionbox replay`.")
    ] = None
    record_secrets: Annotated[
        bool, typer.Option("--record-secrets", help="Keep secret values in the record, in clear.")
    ] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions(LegOptions):
    """The command line of `run`."""

    actions: ActionFiles
    trigger: TriggerOption = None
    event: Annotated[
        FilePath,
        typer.Option(
            "--event",
            "-e",
            metavar="FILE",
            help="Event as JSON, - for standard input; what it lacks, the example gives.",
        ),
    ] = None
    strict: StrictOption = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeOptions(LegOptions):
    """The command line of `resume`."""

    handle: Annotated[str, typer.Argument(help="The handle that the suspended run printed.")]
    query: Annotated[Texts, typer.Option("--query", metavar="NAME=VALUE", help="Query parameter.")] = field(
        default_factory=list
    )
    body: Annotated[Texts, typer.Option("--body", metavar="NAME=VALUE", help="Body parameter.")] = field(
        default_factory=list
    )
    request: Annotated[
        FilePath,
        typer.Option("--request", metavar="FILE", help="event.request as JSON; options come on top."),
    ] = None
    fields: Annotated[Texts, typer.Option("--field", metavar="NAME=VALUE", help="Form field.")] = field(
        default_factory=list
    )
    vars: Annotated[Texts, typer.Option("--var", metavar="NAME=VALUE", help="Form variable.")] = field(
        default_factory=list
    )
    prompt: Annotated[
        FilePath, typer.Option("--prompt", metavar="FILE", help="The form's result as JSON: fields, vars.")
    ] = None
    methods: Annotated[Texts, typer.Option("--method", metavar="TYPE", help="Factor that was passed.")] = (
        field(default_factory=list)
    )
    enrolled: Annotated[
        Texts, typer.Option("--enrolled", metavar="TYPE", help="Factor that was enrolled.")
    ] = field(default_factory=list)
