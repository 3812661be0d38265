"""Answers about the files of a guest's packages (operation 14 of `sandbox.javascript.hostcalls`)."""

from __future__ import annotations

import json
from typing import Final

from sandbox.core.caps import MAX_PACKAGE_READ_BYTES, MAX_PACKAGE_READS
from sandbox.javascript.packages.files import PackageFiles
from sandbox.javascript.quickjs.machine import GuestExceptionError, Machine

_KIND, _NAMES, _BYTES, _TEXT, _LINK, _SCRIPT = range(6)
"""Numbers as guest/host.js spells them."""
_READING: Final = (_BYTES, _TEXT, _SCRIPT)


class Reader:
    """The files that one execution may read, and how much more of them."""

    def __init__(self, files: PackageFiles) -> None:
        self._files = files
        self._questions = MAX_PACKAGE_READS
        self._bytes = MAX_PACKAGE_READ_BYTES

    def may_ask(self, what: int, path: str) -> bool:
        """Whether one more question is answered."""
        self._questions -= 1
        if what in _READING:
            self._bytes -= max(self._files.kind(path), 0)
        return self._questions >= 0 and self._bytes >= 0

    def answer(self, machine: Machine, what: int, path: str, name: str) -> int:
        """A box: how many bytes a file has, negative for a folder or nothing; what is in a folder, as JSON;
        the bytes of a file; its text; the file that a script means by `name`; a script as a function, or the
        error that it does not parse. Undefined where there is nothing, or for one who asks too often."""
        if not self.may_ask(what, path):
            return machine.box_undefined()
        if what == _KIND:
            return machine.box_number(self._files.kind(path))
        if what == _BYTES:
            content = self._files.content(path)
            return machine.box_undefined() if content is None else machine.box_octets(content)
        if what == _SCRIPT:
            return self._script(machine, path)
        text = self._text(what, path, name)
        return machine.box_undefined() if text is None else machine.box_text(text)

    def _text(self, what: int, path: str, name: str) -> str | None:
        if what == _NAMES:
            names = self._files.names(path)
            return None if names is None else json.dumps(names)
        if what == _TEXT:
            content = self._files.content(path)
            return None if content is None else content.decode("utf-8", "replace")
        return self._files.link(path, name) if what == _LINK else None

    def _script(self, machine: Machine, path: str) -> int:
        text = self._files.script(path)
        if text is None:
            return machine.box_undefined()
        try:
            return machine.box_value(machine.evaluate(text, path))
        except GuestExceptionError as error:
            return machine.box_value(error.value)
