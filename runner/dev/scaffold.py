"""A first Action in a folder, and its case."""

from __future__ import annotations

from pathlib import PurePosixPath

from runner.dev.folder import FileChangedError, Folder
from runner.model.errors import InputError
from runner.model.runtimes import file_name as named
from runner.tenant.project import RUNTIMES
from runner.testing.cases.load import SUFFIX
from runner.testing.scaffold import action_text, case_text, file_name
from sandbox.core.program import Language
from triggers import Trigger


def scaffold(folder: Folder, trigger: Trigger, language: str, name: str | None) -> tuple[str, str]:
    """The names of the Action's file and of the case file, both written.

    Raises:
        InputError: `exists`; or as `Folder.write`.
    """
    wanted = Language(language)
    file = file_name(trigger.id, wanted) if name is None else named(name, RUNTIMES[wanted])
    case = PurePosixPath(file).stem + SUFFIX
    if folder.tag(case) is not None:
        case = file + SUFFIX
    for each in (file, case):
        if folder.tag(each) is not None:
            raise InputError("exists", f"{each} is there already", next_step="Choose another name")
    try:
        folder.write(file, action_text(trigger, wanted), expected=None)
        folder.write(case, case_text(trigger.id, file, case), expected=None)
    except FileChangedError as error:
        raise InputError("exists", f"a file was made in this moment: {error}") from None
    return file, case
