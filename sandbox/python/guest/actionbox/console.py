"""`print`, `console` and `logging`: text for the log of the execution."""

import sys

from . import wire
from .encoder import clean

LEVELS = ("debug", "info", "warn", "error", "trace", "log")
MAX_LINE = 256 * 1024
"""Characters of one line that cross to the host, which cuts to its own cap and says so."""

_partial = []


def emit(level, text):
    """One log entry."""
    text = clean(text)
    if len(text) > MAX_LINE:
        cut = len(text[MAX_LINE:].encode())
        text = f"{text[:MAX_LINE]}... {cut} bytes more"
    wire.call("log." + level, text)


def tenant_print(*values, sep=None, end=None, file=None, flush=False):
    """Python's `print`. A line without its end waits for the next call."""
    text = (" " if sep is None else sep).join([str(value) for value in values])
    end = "\n" if end is None else end
    if file is not None:
        file.write(text + end)
        return
    if not _partial and end == "\n":
        emit("log", text)
        return
    _partial.append(text + end)
    if end.endswith("\n") or flush:
        flush_partial()


def flush_partial():
    """Write what is left of a line that never ended."""
    if _partial:
        text = "".join(_partial)
        _partial.clear()
        emit("log", text[:-1] if text.endswith("\n") else text)


class Console:
    """`console.log(...)` and friends, as JavaScript Actions have them."""

    __slots__ = ()

    def log(self, *values):
        emit("log", _line(values))

    def info(self, *values):
        emit("info", _line(values))

    def warn(self, *values):
        emit("warn", _line(values))

    warning = warn

    def error(self, *values):
        emit("error", _line(values))

    def debug(self, *values):
        emit("debug", _line(values))

    def trace(self, *values):
        emit("trace", _line(values))


def _line(values):
    return " ".join([str(value) for value in values])


class Stream:
    """What `sys.stdout` and `sys.stderr` are here: library code that warns ends up in the log."""

    def __init__(self, level):
        self._level = level

    def write(self, text):
        if text.strip():
            emit(self._level, text.rstrip("\n"))
        return len(text)

    def flush(self):
        pass


def install():
    """Replace the standard streams; those of the image would trap."""
    sys.stdout = Stream("log")
    sys.stderr = Stream("warn")


class Logger:
    """The part of `logging.Logger` that Actions use; levels map to those of the console."""

    def __init__(self, name="root"):
        self.name = name

    def debug(self, message, *arguments, **options):
        _record("debug", message, arguments)

    def info(self, message, *arguments, **options):
        _record("info", message, arguments)

    def warning(self, message, *arguments, **options):
        _record("warn", message, arguments)

    warn = warning

    def error(self, message, *arguments, **options):
        _record("error", message, arguments)

    critical = fatal = error

    def exception(self, message, *arguments, **options):
        error = sys.exception()
        text = _format(message, arguments)
        emit("error", text if error is None else f"{text}: {type(error).__name__}: {error}")

    def log(self, level, message, *arguments, **options):
        _record(_level(level), message, arguments)

    def setLevel(self, level):  # noqa: N802
        """Everything is kept; the host bounds the log."""

    def isEnabledFor(self, level):  # noqa: N802
        return True

    def getChild(self, suffix):  # noqa: N802
        return Logger(f"{self.name}.{suffix}")


def _record(level, message, arguments):
    emit(level, _format(message, arguments))


def _format(message, arguments):
    if len(arguments) == 1 and isinstance(arguments[0], dict) and arguments[0]:
        arguments = arguments[0]
    return str(message) % arguments if arguments else str(message)


def _level(number):
    if number >= 40:
        return "error"
    if number >= 30:
        return "warn"
    return "info" if number >= 20 else "debug"


def get_logger(name=None):
    return Logger("root" if name is None else str(name))


def basic_config(**options):
    """Nothing to configure: the log belongs to the execution."""
