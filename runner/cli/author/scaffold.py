"""`actionbox new`: a first Action that runs, and a test case that passes."""

from __future__ import annotations

from pathlib import Path

from runner.cli.author.about import parse_language
from runner.cli.terminal import line, output_console
from runner.model.errors import InputError
from runner.project.action_files import EXTENSIONS
from runner.testing.scaffold import action_text, case_text, file_name
from sandbox.core.program import Language
from triggers import get_trigger


def new_command(trigger: str, language: str | None, output: Path | None, *, force: bool) -> None:
    """Write the Action and its case, and say how to run them."""
    contract = get_trigger(trigger)
    wanted = _language(language, output)
    path = output or Path(file_name(contract.id, wanted))
    case = _case_beside(path)
    if path.is_dir():
        raise InputError("is_folder", f"{path} is a folder; --output names the file to write")
    for file in (path, case):
        if file.exists() and not force:
            raise InputError(
                "exists", f"{file} exists already", next_step="Choose another --output, or use --force."
            )
    _write(path, action_text(contract, wanted))
    _write(case, case_text(contract.id, path.name, str(case)))
    console = output_console()
    console.print(line(f"wrote {path} and {case}"))
    console.print(line(f"run it:  actionbox run {path}"))
    console.print(line(f"test it: actionbox test {case}"))


def _case_beside(path: Path) -> Path:
    """The case of `path`; with the whole name in it when an Action of another language has the short one."""
    case = path.with_name(f"{path.stem}.case.yaml")
    taken = case.exists() and not path.exists()
    return path.with_name(f"{path.name}.case.yaml") if taken else case


def _language(language: str | None, output: Path | None) -> Language:
    by_name = EXTENSIONS.get(output.suffix.lower()) if output else None
    if output is not None and by_name is None:
        raise InputError(
            "invalid_option", f"--output must end in one of {', '.join(EXTENSIONS)}, not {output}"
        )
    wanted = parse_language(language) if language else by_name or Language.JAVASCRIPT
    if by_name is not None and by_name is not wanted:
        raise InputError("invalid_option", f"--output {output} does not fit --language {language}")
    return wanted


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError("unwritable", f"{path} cannot be written: {error.strerror}") from None
