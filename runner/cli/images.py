"""Guest images: built once per machine, with a word about it while that takes its minute."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from rich.console import Console

import sandbox
from runner.cli.terminal import error_console, line
from sandbox.program import Language


@contextmanager
def _progress(console: Console) -> Iterator[Callable[[str], None]]:
    """A function that shows a message: in a spinner on a terminal, as a line elsewhere."""
    if not console.is_terminal:
        yield lambda text: console.print(line(text))
        return
    with console.status(line("opening the sandboxes")) as status:
        yield lambda text: status.update(line(text))


def open_engines(languages: Iterable[Language]) -> None:
    """Open the engines that a command needs; quick, except when an image has to be built first."""
    with _progress(error_console()) as progress:
        for language in sorted(set(languages)):
            sandbox.open_engine(language, progress)


def images_command() -> None:
    """`actionbox images`."""
    console = error_console()
    began = time.monotonic()
    with _progress(console) as progress:
        sandbox.build_images(progress)
    console.print(line(f"guest images are ready ({time.monotonic() - began:.1f} s)"))
