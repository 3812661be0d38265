"""`actionbox new`: a first Action that runs, and a test case that passes."""

from __future__ import annotations

from pathlib import Path
from string import Template
from typing import Final

from runner.cli.author.about import parse_language
from runner.cli.terminal import line, output_console
from runner.flow.handlers import snake_case
from runner.model.errors import InputError
from runner.project.action_files import EXTENSIONS
from sandbox.core.program import Language
from triggers import Trigger, get_trigger

_JAVASCRIPT: Final = Template("""\
/**
 * $summary
 *
 * Trigger: $id. `actionbox types $id` prints what event and api offer.
 */
exports.$handler = async (event, api) => {
  console.log("running for trigger $id");
$more};
""")
_JAVASCRIPT_CONTINUE: Final = Template("""
// Called when the user comes back from a redirect or a form of this Action.
exports.$handler = async (event, api) => {};
""")
_PYTHON: Final = Template('''\
"""$summary

Trigger: $id. `actionbox types $id --language py` prints what event and api offer.
"""


async def $handler(event, api):
    print("running for trigger $id")
$more''')
_PYTHON_CONTINUE: Final = Template('''

async def $handler(event, api):
    """Called when the user comes back from a redirect or a form of this Action."""
''')
_MORE: Final = {
    ("custom-token-exchange", Language.JAVASCRIPT): """\
  // Verify event.transaction.subject_token first, and refuse what is not valid:
  // api.access.rejectInvalidSubjectToken("...")
  api.authentication.setUserById("auth0|the-user-that-the-token-stands-for");
""",
    ("custom-token-exchange", Language.PYTHON): """\
    # Verify event.transaction.subject_token first, and refuse what is not valid:
    # api.access.reject_invalid_subject_token("...")
    api.authentication.set_user_by_id("auth0|the-user-that-the-token-stands-for")
""",
}
"""What an Action of the trigger has to do at least."""
_CASE: Final = Template("""\
# `actionbox test $case` runs this; docs/testing.md describes the format.
trigger: $id
actions: [$file]
cases:
  - name: allows on the example event
    expect:
      decision: allow
      logs: [running for trigger $id]
""")


def new_command(trigger: str, language: str | None, output: Path | None, *, force: bool) -> None:
    """Write the Action and its case, and say how to run them."""
    contract = get_trigger(trigger)
    wanted = _language(language, output)
    path = output or Path(_file_name(contract.id, wanted))
    case = _case_beside(path)
    if path.is_dir():
        raise InputError("is_folder", f"{path} is a folder; --output names the file to write")
    for file in (path, case):
        if file.exists() and not force:
            raise InputError(
                "exists", f"{file} exists already", next_step="Choose another --output, or use --force."
            )
    _write(path, action_text(contract, wanted))
    _write(case, _CASE.substitute(id=contract.id, file=path.name, case=case))
    console = output_console()
    console.print(line(f"wrote {path} and {case}"))
    console.print(line(f"run it:  actionbox run {path}"))
    console.print(line(f"test it: actionbox test {case}"))


def _file_name(trigger: str, language: Language) -> str:
    """As files of the language are called, so that an Action in each fits into one folder."""
    return f"{trigger.replace('-', '_')}.py" if language is Language.PYTHON else f"{trigger}.js"


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


def action_text(trigger: Trigger, language: Language) -> str:
    """The source of a first Action."""
    python = language is Language.PYTHON
    first, second = (_PYTHON, _PYTHON_CONTINUE) if python else (_JAVASCRIPT, _JAVASCRIPT_CONTINUE)

    def spelled(name: str) -> str:
        return snake_case(name) if python else name

    text = first.substitute(
        summary=trigger.summary,
        id=trigger.id,
        handler=spelled(trigger.execute_handler),
        more=_MORE.get((trigger.id, language), ""),
    )
    if trigger.continue_handler is not None:
        text += second.substitute(handler=spelled(trigger.continue_handler))
    return text


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError("unwritable", f"{path} cannot be written: {error.strerror}") from None
