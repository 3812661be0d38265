"""Commands that print what is declared: triggers, events, typings, schemas, the version."""

from __future__ import annotations

import json
import sys
from importlib import metadata
from pathlib import Path

from runner.cli.terminal import line, output_console
from runner.model.errors import InputError
from sandbox.core.program import Language
from triggers import get_trigger, known_triggers

_LANGUAGES = {
    "js": Language.JAVASCRIPT,
    "javascript": Language.JAVASCRIPT,
    "py": Language.PYTHON,
    "python": Language.PYTHON,
}


def parse_language(name: str) -> Language:
    """Raises `InputError` (`invalid_option`)."""
    language = _LANGUAGES.get(name.lower())
    if language is None:
        raise InputError("invalid_option", f"--language must be js or py, not {name!r}")
    return language


def version_text() -> str:
    """Name and version."""
    try:
        return f"actionbox {metadata.version('actionbox')}"
    except metadata.PackageNotFoundError:  # run from a checkout that is not installed
        return "actionbox (not installed)"


def event_command(trigger: str) -> None:
    """Print the example event."""
    _print_json(get_trigger(trigger).example_event)


def schema_command(trigger: str) -> None:
    """Print the JSON Schema of a trigger, or of the outcome record for `outcome`."""
    from triggers.generate.schema import json_schema

    if trigger == "outcome":
        from runner.model.outcome import FlowOutcome

        _print_json(FlowOutcome.model_json_schema(mode="serialization"))
        return

    _print_json(json_schema(get_trigger(trigger)))


def types_command(trigger: str | None, language: str | None, folder: Path | None) -> None:
    """Print typings, or write them to `folder` under the names that their headers mention."""
    import triggers.generate.typings as typings

    is_python = bool(language) and parse_language(str(language)) is Language.PYTHON
    chosen = [get_trigger(trigger)] if trigger else known_triggers()
    if folder is None:
        generate = typings.python if is_python else typings.javascript
        sys.stdout.write("\n".join(generate(item).rstrip("\n") + "\n" for item in chosen))
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for item in chosen:
            if is_python or not language:
                _write(folder / f"{typings.python_module(item.id)}.pyi", typings.python(item))
            if not is_python:
                _write(folder / f"{item.id}.d.ts", typings.javascript(item))
    except OSError as error:
        raise InputError("not_writable", f"cannot write typings to {folder}: {error.strerror}") from None


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    sys.stdout.write(f"wrote {path}\n")


def triggers_command(*, as_json: bool) -> None:
    """List the triggers."""
    if as_json:
        _print_json(
            [
                {
                    "id": item.id,
                    "version": item.version,
                    "handlers": list(item.handlers),
                    "blocking": item.blocking,
                    "experimental": bool(item.experimental),
                    "max_actions": item.max_actions,
                    "summary": item.summary,
                }
                for item in known_triggers()
            ]
        )
        return
    console = output_console()
    width = max(len(item.id) for item in known_triggers())
    for item in known_triggers():
        kind = "experimental" if item.experimental else "blocking" if item.blocking else "not blocking"
        console.print(
            line((item.id.ljust(width), "bold"), f"  {item.version}  {', '.join(item.handlers)}  ({kind})")
        )
        console.print(line((item.summary, "dim"), indent=width + 2))


def _print_json(value: object) -> None:
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")
