"""The proof, for tests, that a worker has all it needs in memory when it gives up its rights.

A worker whose rights are gone meets an import or an `open` that is left as a fault of ours in the middle of
somebody's login, and only with the one input that gets there. So the tests run their workers with this watch:
whatever is imported or opened too late ends the worker, which says what it was.
"""

from __future__ import annotations

import importlib.machinery
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any, Final

SETTING: Final = "ACTIONBOX_WATCH_WORKERS"
"""Environment variable of the parent: the file to which its workers report. Only for tests: it costs time."""
TOO_LATE: Final = 4
"""Exit status: something was imported or opened after the rights were given up."""
_EVENTS: Final = frozenset({"open", "os.listdir", "os.scandir", "ctypes.dlopen", "socket.__new__"})


def passed_on(environment: Mapping[str, str]) -> dict[str, str]:
    """The part of the parent's environment that tells a worker to watch itself."""
    return {SETTING: environment[SETTING]} if environment.get(SETTING) else {}


def prepare() -> Callable[[], None]:
    """Open the report, while that can be done; the result begins the watch: from then on the import of a
    module that is not loaded, and every `open`, ends this process with `TOO_LATE`."""
    path = os.environ.get(SETTING)
    if not path:
        return lambda: None
    report = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def end(deed: str, name: object) -> None:
        # Past every `except` of whoever tried it: with rights it works, so it counts as needed.
        line = f"a worker without its rights {deed} {name!r}: load it in runner.workers.child.warmup\n"
        for descriptor in (report, 2):
            os.write(descriptor, line.encode("utf-8", "backslashreplace"))
        os._exit(TOO_LATE)

    def audit(event: str, arguments: tuple[Any, ...]) -> None:
        if event in _EVENTS and arguments[0] is not None:  # `dlopen` of None is of what is there already
            end("opens" if event == "open" else f"calls {event} of", arguments[0])

    def begin() -> None:
        sys.meta_path.insert(0, _Imports(end))
        sys.addaudithook(audit)

    return begin


class _Imports:
    """Asked for every module that is not in memory, however it is imported."""

    def __init__(self, end: Callable[[str, object], None]) -> None:
        self._end = end

    def find_spec(
        self,
        name: str,
        path: Sequence[str] | None = None,  # noqa: ARG002 - the protocol's shape
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> importlib.machinery.ModuleSpec | None:
        """See `importlib.abc.MetaPathFinder`."""
        self._end("imports", name)
        return None
