"""`--watch`: run again whenever one of the files changes."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from watchfiles import watch

from runner.cli.author.run import run_once
from runner.cli.options import RunOptions
from runner.cli.problems import describe, is_expected
from runner.cli.terminal import error_console, line


def watch_command(options: RunOptions) -> None:
    """`actionbox run --watch`."""
    watch_files(_files(options), lambda: run_once(options))


def watch_files(paths: Sequence[Path], run: Callable[[], object]) -> None:
    """Run, then wait for changes, until interrupted. A mistake is shown and the watch goes on."""
    files = {path.resolve() for path in paths}
    _attempt(run)
    folders = {path.parent for path in files if path.parent.is_dir()}
    # Folders, not files: editors replace a file by renaming, and a file may not exist yet.
    for changes in watch(*folders, recursive=False, raise_interrupt=True, debounce=200):
        if files & {Path(name).resolve() for _, name in changes}:
            error_console().print(line((f"— changed, running again at {time.strftime('%H:%M:%S')} —", "dim")))
            _attempt(run)


def _files(options: RunOptions) -> list[Path]:
    extra = [options.event, options.secrets_file, options.stub]
    return [*options.actions, *(path for path in extra if path is not None and str(path) != "-")]


def _attempt(run: Callable[[], object]) -> None:
    try:
        run()
    except Exception as error:
        if not is_expected(error):
            raise
        describe(error, error_console())
