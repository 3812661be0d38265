"""Bodies and answers of `/console/api/dev`."""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired

from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from runner.http.answer_types import Count, Number, TriggerId, closed
from runner.model.caps import MAX_INPUT_FILE_BYTES
from runner.model.outcome import FlowOutcome

FileName = Annotated[str, Field(min_length=1, max_length=512)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)


class NewAction(_Body):
    """POST /console/api/dev/actions. `name`: also the file's; after the trigger when it is left out."""

    trigger_id: Annotated[str, Field(max_length=64)]
    language: Literal["javascript", "python"] = "javascript"
    name: Annotated[str, Field(min_length=1, max_length=64)] | None = None


class FileText(_Body):
    """PUT /console/api/dev/files/{name}."""

    text: Annotated[str, Field(max_length=MAX_INPUT_FILE_BYTES)]


class RunCases(_Body):
    """POST /console/api/dev/cases/run. `name`: of one case; all of the file when it is left out."""

    file: FileName
    name: Annotated[str, Field(min_length=1, max_length=1024)] | None = None


@closed
class Problem(TypedDict):
    """What is wrong, what to do, and where."""

    message: str
    next_step: NotRequired[str]
    line: NotRequired[Number]
    column: NotRequired[Number]


@closed
class FileProblem(Problem):
    """A problem of a file; "" for one of the whole folder."""

    file: str


@closed
class DevAction(TypedDict):
    """An Action of the folder. `writable`: whether the console can save it; TypeScript it shows compiled."""

    id: str
    name: str
    trigger_id: TriggerId
    file: str
    writable: bool
    deployed: bool


@closed
class Folder(TypedDict):
    """The folder. `generation`: one more each time that anything changed. `manifest`: whether an
    `actionbox.yaml` says what is here."""

    folder: str
    generation: Count
    manifest: bool
    actions: list[DevAction]
    problems: list[FileProblem]


@closed
class MadeAction(TypedDict):
    """The files of a new Action. `action_id`: None when it could not be pushed."""

    file: str
    case_file: str
    action_id: str | None


@closed
class Listed(TypedDict):
    """A file of the folder."""

    file: str
    kind: Literal["action", "case", "manifest", "event", "other"]


@closed
class FileList(TypedDict):
    """Files that the console can open."""

    files: list[Listed]


@closed
class Stored(TypedDict):
    """A file. `text`: with `\\n` at the ends of lines."""

    file: str
    text: str
    etag: str


@closed
class CaseSummary(TypedDict):
    """A case. `actions`: files, from the case file on; `skip`: why it is not run."""

    name: str
    actions: list[str]
    steps: Number
    skip: NotRequired[str]


@closed
class CaseFileSummary(TypedDict):
    """A case file. `problem`: why it cannot be used."""

    file: str
    cases: list[CaseSummary]
    etag: NotRequired[str]
    trigger_id: NotRequired[str]
    problem: NotRequired[Problem]


@closed
class CaseFiles(TypedDict):
    """The case files of the folder."""

    files: list[CaseFileSummary]


@closed
class CaseDifference(TypedDict):
    """A place where the outcome is not what was expected, such as `$.effects.claims`."""

    path: str
    expected: str
    found: str


@closed
class CaseAnswer(TypedDict):
    """The result of a case.

    Attributes:
        step: that differs, from 1; 0 when none ran.
        filled: sentence about what the trigger's example gave.
        outcome: of that step, or of the last one.
    """

    file: str
    name: str
    status: Literal["passed", "failed", "skipped", "unusable"]
    ms: float
    step: Count
    differences: list[CaseDifference]
    filled: NotRequired[str]
    problem: NotRequired[Problem]
    outcome: NotRequired[FlowOutcome]


@closed
class CaseAnswers(TypedDict):
    """Results, in the order of the file."""

    results: list[CaseAnswer]
