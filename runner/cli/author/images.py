"""Guest images: built once per machine, with a word about it while that takes its minute."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from rich.status import Status

import sandbox
from runner.cli.terminal import error_console, line, output_console
from runner.console import bundle
from runner.model.errors import InputError
from sandbox.core.caps import CACHE_UNUSED_DAYS
from sandbox.core.program import Language
from sandbox.wasm import pruning
from sandbox.wasm.artefacts import cache_directory

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


def images_command(*, show: bool, prune: bool, unused_days: float | None) -> None:
    """`actionbox images`.

    Raises:
        InputError: the options do not fit together (`invalid_option`).
    """
    if unused_days is not None and not prune:
        raise InputError("invalid_option", "--unused-days says what --prune removes; give both")
    if unused_days is not None and unused_days < 0:
        raise InputError("invalid_option", f"--unused-days must not be negative, and {unused_days:g} is")
    if show or prune:
        _keep_house(CACHE_UNUSED_DAYS if unused_days is None else unused_days, show=show, prune=prune)
        return
    began = time.monotonic()
    with _spinner():
        sandbox.build_images(say)
        bundle.build(say)
    error_console().print(line(f"guest images are ready ({time.monotonic() - began:.1f} s)"))


def _keep_house(unused_days: float, *, show: bool, prune: bool) -> None:
    """Remove what is not used, list what is kept, and sum up on standard output."""
    folder = cache_directory()
    removed: tuple[pruning.Cached, ...] = ()
    kept = pruning.cached(folder)
    if prune:
        done = pruning.prune(folder, unused_days=unused_days)
        removed, kept = done.removed, list(done.kept)
    output = output_console()
    if show:
        for one in kept:
            use = (
                "in use" if one.in_use else f"used {datetime.fromtimestamp(one.used_at, UTC):%Y-%m-%d %H:%M}Z"
            )
            output.print(line(f"{_megabytes([one]):>9}  {use:<23}  {one.path.name}"))
    told = [f"removed {len(removed)}, {_megabytes(removed)}"] if prune else []
    output.print(line("; ".join([*told, f"kept {len(kept)}, {_megabytes(kept)}, in {folder}"])))


def _megabytes(entries: Iterable[pruning.Cached]) -> str:
    return f"{sum(one.size for one in entries) / 1e6:.1f} MB"
