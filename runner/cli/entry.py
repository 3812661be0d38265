"""The top of the command line: dispatch, and the one place where errors become text and an exit status."""

from __future__ import annotations

import contextlib
import os
import secrets
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Final, NoReturn

from runner.cli.app import app
from runner.cli.terminal import error_console

EXIT_USAGE: Final = 2
EXIT_INTERRUPTED: Final = 130
_SERVERS: Final = ("dev", "serve", "worker")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit. Never shows a traceback."""
    _tolerant_output()
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    try:
        if _serves(arguments):
            app(args=arguments, prog_name="actionbox")
        else:
            _interruptibly(lambda: app(args=arguments, prog_name="actionbox"))
    except SystemExit:
        raise
    except KeyboardInterrupt:
        _leave_at_once()
    except BrokenPipeError:
        _discard_output()
        sys.exit(EXIT_USAGE)
    except Exception as error:  # noqa: BLE001 - the last guard
        # Imported here: it knows every error type, and with them all packages, which `--help` can do without.
        from runner.cli.problems import describe, is_expected

        if is_expected(error):
            describe(error, error_console())
        else:
            _report_fault(error, debug="--debug" in arguments or bool(os.environ.get("ACTIONBOX_DEBUG")))
        sys.exit(EXIT_USAGE)


def _serves(arguments: Sequence[str]) -> bool:
    """Whether the command handles signals itself, which Python allows in the main thread only."""
    return next((item for item in arguments if not item.startswith("-")), "") in _SERVERS


def _interruptibly(command: Callable[[], None]) -> None:
    """Run the command in a thread: Python sees Ctrl+C between its own steps only, and a guest that spins
    takes none until its time limit."""
    result: Future[None] = Future()

    def work() -> None:
        try:
            command()
            result.set_result(None)
        except BaseException as error:  # noqa: BLE001 - SystemExit is how commands end
            result.set_exception(error)

    thread = threading.Thread(target=work, name="actionbox-command", daemon=True)
    thread.start()
    error = result.exception()
    thread.join()  # one that still unwinds while the interpreter ends can hold what that waits for
    if error is not None:
        raise error


def _leave_at_once() -> NoReturn:
    """End without waiting for the guest; nothing it did is kept."""
    error_console().show_cursor(True)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(EXIT_INTERRUPTED)


def _report_fault(error: Exception, *, debug: bool) -> None:
    console = error_console()
    fault_id = secrets.token_hex(6)
    console.print(f"error: actionbox met a fault of its own ({fault_id})", style="bold red", markup=False)
    if not debug:
        console.print("Run the same command with --debug in front to keep a log of it.", markup=False)
        return
    fd, name = tempfile.mkstemp(prefix=f"actionbox-{fault_id}-", suffix=".log")
    with os.fdopen(fd, "w", encoding="utf-8", errors="backslashreplace") as file:
        file.write("".join(traceback.format_exception(error)))
    console.print(f"The log is in {Path(name)}; it may hold parts of the event.", markup=False)


def _tolerant_output() -> None:
    """A terminal that cannot show a character gets an escape instead of ending the command."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, ValueError):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]


def _discard_output() -> None:
    """Whoever read our output is gone; keep the interpreter from complaining when it flushes."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
