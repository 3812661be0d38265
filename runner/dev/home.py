"""What is saved in the console goes into the file that it came from.

The console saves as it does everywhere, through the Management API. Before a draft is changed its file is
looked at: one that was changed outside is pushed first, so that the request's `If-Match` finds an older state
(412), as it does when somebody else saved in the console. The file is written before the draft is stored for
good: when it cannot be, the draft stays as it was.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, Literal

from runner.dev.cases import Cases
from runner.dev.folder import FileChangedError
from runner.dev.sync import Pushed, Sync
from runner.http.errors import ApiError
from runner.management.base.interfaces import Keep
from runner.model.errors import InputError
from runner.model.runtimes import file_name

_PATIENCE_SECONDS: Final = 20.0
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_TAKEN: Final = frozenset({"conftest", "setup", "sitecustomize", "usercustomize", "test", "__init__"})
"""Names that tools beside ours run by themselves."""


class FolderHome:
    """A `runner.management.base.interfaces.Home`.

    Attributes:
        sync: between the folder and the service.
        cases: of the folder.
    """

    mode: Literal["dev"] = "dev"

    def __init__(self, sync: Sync, own_client: str) -> None:
        """`own_client`: id of the client by which the folder is pushed."""
        self.sync = sync
        self.cases = Cases(sync.folder)
        self._own = own_client

    @contextmanager
    def creating(self, client_id: str) -> Iterator[Keep]:
        """A new Action gets a file of its name."""
        if client_id == self._own:
            yield _nothing
            return
        if self.sync.status.manifest:
            raise _refused("New Actions of this folder are named in its actionbox.yaml: add it there.")
        with self.held():
            yield self._create

    @contextmanager
    def changing(self, client_id: str, action_id: str) -> Iterator[Keep]:
        pushed = self._mine(client_id, action_id)
        if pushed is None:
            yield _nothing
            return
        with self.held():
            if self.sync.folder.tag(pushed.file) != self.sync.tag(pushed.file):
                self.sync.push_held()
            yield lambda value: self._change(pushed, value)

    def check_removal(self, client_id: str, action_id: str) -> None:
        pushed = self._mine(client_id, action_id)
        if pushed is not None:
            raise _refused(f"The folder is what counts: delete the file {pushed.file}.")

    def _mine(self, client_id: str, action_id: str) -> Pushed | None:
        return None if client_id == self._own else self.sync.action(action_id.lower())

    @contextmanager
    def held(self) -> Iterator[None]:
        """While nothing else changes the folder. Raises `ApiError` 429."""
        if not self.sync.lock.acquire(timeout=_PATIENCE_SECONDS):
            raise ApiError(429, "The folder is just being pushed.", "too_busy", headers={"Retry-After": "1"})
        try:
            yield
        finally:
            self.sync.lock.release()

    def _create(self, value: Mapping[str, Any]) -> None:
        name = value["name"]
        check_name(name)
        file = file_name(name, value.get("runtime", ""))
        self._write(file, value["code"], None)
        self.sync.adopt(name, file)

    def _change(self, pushed: Pushed, value: Mapping[str, Any]) -> None:
        if value["name"] != pushed.name or value["supported_triggers"][0]["id"] != pushed.trigger:
            raise _refused(
                f"Name and trigger of {pushed.name} are what {pushed.file} says: change them there."
            )
        unit = self.sync.unit(pushed.name)
        packages = {item["name"]: item["version"] for item in value.get("dependencies") or ()}
        modules = {item["module_name"] for item in value.get("modules") or ()}
        if unit is not None and (packages != dict(unit.dependencies) or modules != set(unit.modules)):
            raise _refused(
                f"Packages and modules of {pushed.name} are declared in the folder: change them there."
            )
        if pushed.compiled:
            if unit is None or value["code"] == unit.code:
                return
            raise _refused(f"{pushed.file} is TypeScript, and this is what it compiles to: edit the file.")
        tag = self.sync.tag(pushed.file)
        if self.sync.folder.read(pushed.file).text != value["code"]:
            self._write(pushed.file, value["code"], tag)

    def _write(self, name: str, text: str, expected: str | None) -> None:
        try:
            file = self.sync.folder.write(name, text, expected=expected)
        except FileChangedError:
            raise changed(name, expected) from None
        except InputError as error:
            raise _refused(f"{error.message}. Nothing was saved.", error.code) from None
        self.sync.note(file)


def check_name(name: str) -> None:
    """Raises `ApiError` for a name that is none for a file of an Action."""
    if not _NAME.fullmatch(name) or name.lower() in _TAKEN:
        raise ApiError(
            400,
            "The name is the file's too: up to 64 letters, digits, `-` and `_`, and none that tools take "
            f"for theirs ({', '.join(sorted(_TAKEN))}).",
            "invalid_name",
        )


def changed(name: str, expected: str | None) -> ApiError:
    """The file is another than the one that is replaced."""
    if expected is None:
        return ApiError(412, f"There is a file {name} already.", "precondition_failed")
    return ApiError(
        412,
        f"{name} was changed since you read it: get it again and repeat your change.",
        "precondition_failed",
    )


def _refused(message: str, code: str = "in_folder") -> ApiError:
    return ApiError(409, message, code)


def _nothing(_: Mapping[str, Any]) -> None: ...
