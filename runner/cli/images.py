"""Guest images: built once per machine, with a word about it while that takes its minute."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from rich.status import Status

import sandbox
from runner.cli.terminal import error_console, line
from sandbox.program import Language

_shown: list[Status] = []
"""The spinner that is turning, if any."""


def say(text: str) -> None:
    """Show a message: in the spinner while one turns, as a line elsewhere. Engines keep this function for
    as long as the process lives, so where it writes is found out anew each time."""
    if _shown:
        _shown[-1].update(line(text))
    else:
        error_console().print(line(text))


@contextmanager
def _spinner() -> Iterator[None]:
    """A spinner around the block, on a terminal."""
    console = error_console()
    if not console.is_terminal:
        yield
        return
    with console.status(line("opening the sandboxes")) as status:
        _shown.append(status)
        try:
            yield
        finally:
            _shown.remove(status)


def open_engines(languages: Iterable[Language]) -> None:
    """Open the engines that a command needs; quick, except when an image has to be built first."""
    with _spinner():
        for language in sorted(set(languages)):
            sandbox.open_engine(language, say)


def images_command() -> None:
    """`actionbox images`."""
    began = time.monotonic()
    with _spinner():
        sandbox.build_images(say)
    error_console().print(line(f"guest images are ready ({time.monotonic() - began:.1f} s)"))
