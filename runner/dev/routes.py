"""`/console/api/dev`: what the console has beside both APIs where it stands on a folder."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import PurePosixPath
from typing import Annotated, Any, Final

from fastapi import Depends, Header, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

from runner.console.base import console_router
from runner.dev import schemas
from runner.dev.folder import FileChangedError
from runner.dev.home import FolderHome, changed, check_name
from runner.dev.scaffold import scaffold
from runner.http.described import TAGGED, refusals
from runner.http.errors import ApiError, not_found
from runner.http.queries import Absent
from runner.management.base.context import ActionCreator, ActionReader, ActionUpdater, IfMatch, answer
from runner.model.errors import InputError
from runner.project.action_files import EXTENSIONS
from runner.tenant.project import MANIFEST
from runner.testing.cases.load import SUFFIX
from triggers import UnknownTriggerError, get_trigger

_LOOK_SECONDS: Final = 0.2
_HEARTBEATS: Final = 75
EVENTS: Final = ".event.json"
"""How the name of an event's file ends that the console writes. Other JSON may be what tools act on."""
_STATUS: Final = {"not_found": 404, "no_case": 404, "exists": 409, "too_large": 413}

router: Final = console_router("Console: folder")


async def current_home(request: Request) -> FolderHome:
    """The folder of this service."""
    home: FolderHome = request.app.state.service.home
    return home


Here = Annotated[FolderHome, Depends(current_home)]
IfNoneMatch = Annotated[
    str | Absent, Header(alias="If-None-Match", description="`*`: only if there is no such file.")
]


@router.get("/dev", response_model=schemas.Folder)
def get_folder(caller: ActionReader, home: Here) -> Response:  # noqa: ARG001
    """The Actions of the folder, and what is wrong with its files."""
    return JSONResponse(_folder(home))


class _EventStream(StreamingResponse):
    media_type = "text/event-stream"


@router.get(
    "/dev/changes",
    response_class=_EventStream,
    response_description="Server-sent events: `data` is the `Folder`, at once and after each change.",
)
async def stream_changes(request: Request, caller: ActionReader, home: Here) -> Response:  # noqa: ARG001
    """The folder, again whenever something of it has changed."""

    async def events() -> AsyncIterator[str]:
        told, quiet = -1, 0
        while not await request.is_disconnected() and not request.app.state.stopping:
            status = home.sync.status
            if status.generation != told:
                told, quiet = status.generation, 0
                yield f"data: {json.dumps(_folder(home))}\n\n"
            elif (quiet := quiet + 1) % _HEARTBEATS == 0:
                yield ": still here\n\n"
            await asyncio.sleep(_LOOK_SECONDS)

    return _EventStream(events(), headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})


@router.post("/dev/actions", status_code=201, response_model=schemas.MadeAction, responses=refusals(409, 412))
def make_action(caller: ActionCreator, body: schemas.NewAction, home: Here) -> Response:  # noqa: ARG001
    """Write a first Action for a trigger, with a case that passes beside it, and push both."""
    try:
        trigger = get_trigger(body.trigger_id)
    except UnknownTriggerError as error:
        raise ApiError(400, str(error), "unknown_trigger") from None
    if body.name is not None:
        check_name(body.name)
    if home.sync.status.manifest:
        raise ApiError(
            409, f"{MANIFEST} says what is in this folder: name the new Action there.", "in_folder"
        )
    file, case = _told(lambda: scaffold(home.sync.folder, trigger, body.language, body.name))
    status = home.sync.push()
    made = next((item.id for item in status.actions if item.file == file), None)
    return JSONResponse({"file": file, "case_file": case, "action_id": made}, 201)


@router.get("/dev/files", response_model=schemas.FileList)
def list_files(caller: ActionReader, home: Here) -> Response:  # noqa: ARG001
    """The files of the folder that the console can open."""
    names = home.sync.folder.names()
    return JSONResponse({"files": [{"file": name, "kind": _kind(home, name)} for name in names]})


@router.get("/dev/files/{name:path}", response_model=schemas.Stored, responses={200: TAGGED})
def get_file(caller: ActionReader, name: str, home: Here) -> Response:  # noqa: ARG001
    """One file."""
    if not _opens(home, name):
        raise not_found("file")
    file = _told(lambda: home.sync.folder.read(name))
    return answer({"file": file.name, "text": file.text, "etag": file.tag}, 200, f'"{file.tag}"')


@router.put(
    "/dev/files/{name:path}",
    response_model=schemas.Stored,
    responses={200: TAGGED, **refusals(409, 412)},
)
def put_file(
    caller: ActionUpdater,  # noqa: ARG001
    name: str,
    body: schemas.FileText,
    home: Here,
    if_match: IfMatch = None,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Write a case file, an event, the manifest, or an Action that is there already. `If-Match` says what is
    replaced; a new file needs `If-None-Match: *`."""
    if (if_match is None) == (if_none_match is None) or if_none_match not in (None, "*"):
        raise ApiError(400, "Say with If-Match what is replaced, or with If-None-Match: * that it is new.")
    kind = _kind(home, name)
    if kind == "other" or (kind == "action" and if_match is None):
        raise ApiError(
            400,
            f"The console writes Actions that are there, case files (*{SUFFIX}), events (*{EVENTS}) "
            f"and {MANIFEST}.",
            "invalid_path",
        )
    expected = None if if_match is None else if_match.strip().strip('"')
    try:
        with home.held():
            file = _told(lambda: home.sync.folder.write(name, body.text, expected=expected))
    except FileChangedError:
        raise changed(name, expected) from None
    return answer({"file": file.name, "text": file.text, "etag": file.tag}, 200, f'"{file.tag}"')


@router.get("/dev/cases", response_model=schemas.CaseFiles)
def list_cases(caller: ActionReader, home: Here) -> Response:  # noqa: ARG001
    """The case files, each with its cases or with what is wrong with it."""
    return JSONResponse({"files": home.cases.listed()})


@router.post("/dev/cases/run", response_model=schemas.CaseAnswers)
async def run_cases(caller: ActionCreator, body: schemas.RunCases, home: Here) -> Response:
    """Run the cases of a file, on the files as they are now. One that fails is a 200 that says where."""

    def run() -> Response:
        return JSONResponse({"results": _told(lambda: home.cases.run(body.file, body.name))})

    return await caller.service.tests.run(caller.tenant, run)


def _folder(home: FolderHome) -> dict[str, Any]:
    status = home.sync.status
    return {
        "folder": str(home.sync.folder.root),
        "generation": status.generation,
        "manifest": status.manifest,
        "actions": [
            {
                "id": item.id,
                "name": item.name,
                "trigger_id": item.trigger,
                "file": item.file,
                "writable": not item.compiled,
                "deployed": item.deployed,
            }
            for item in status.actions
        ],
        "problems": [{"file": item.file, **item.told()} for item in status.troubles],
    }


def _kind(home: FolderHome, name: str) -> str:
    if any(item.file == name for item in home.sync.status.actions):
        return "action"
    if name.endswith(SUFFIX):
        return "case"
    if name == MANIFEST:
        return "manifest"
    return "event" if name.endswith(EVENTS) else "other"


def _opens(home: FolderHome, name: str) -> bool:
    return _kind(home, name) != "other" or PurePosixPath(name).suffix.lower() in EXTENSIONS


def _told(work: Callable[[], Any]) -> Any:
    """The result of `work`, whose `InputError` is an answer."""
    try:
        return work()
    except InputError as error:
        message = f"{error.message}. {error.next_step}".strip().removesuffix(". ")
        raise ApiError(_STATUS.get(error.code, 400), message, error.code) from None
