"""`print`, `console` and `logging`: text for the log of the execution."""

import sys
from typing import Any

from . import wire
from .encoder import clean

MAX_LINE = 1024 * 1024
"""Characters of one line that cross to the host, which cuts to its own cap and says so."""

_partial: list[str] = []


def emit(level: str, text: str) -> None:
    """One log entry."""
    text = clean(text)
    if len(text) > MAX_LINE:
        text = f"{text[:MAX_LINE]}… {len(text[MAX_LINE:].encode())} bytes more"
    wire.call("log." + level, text)


def tenant_print(
    *values: object, sep: str | None = None, end: str | None = None, file: Any = None, flush: bool = False
) -> None:
    """Python's `print`: one entry per line, whatever the number of calls that wrote it."""
    text = (" " if sep is None else sep).join([str(value) for value in values])
    end = "\n" if end is None else end
    if file is not None:
        file.write(text + end)
    elif not _partial and end == "\n":
        emit("log", text)
    else:
        _partial.append(text + end)
        if end.endswith("\n") or flush:
            flush_partial()


def flush_partial() -> None:
    """Write what is left of a line that never ended."""
    if _partial:
        text = "".join(_partial)
        _partial.clear()
        emit("log", text.removesuffix("\n"))


def _line(values: tuple[object, ...]) -> str:
    return " ".join([str(value) for value in values])


class Console:
    """`console.log(...)` and friends, as JavaScript Actions have them."""

    __slots__ = ()

    def log(self, *values: object) -> None:
        emit("log", _line(values))

    def info(self, *values: object) -> None:
        emit("info", _line(values))

    def warn(self, *values: object) -> None:
        emit("warn", _line(values))

    warning = warn

    def error(self, *values: object) -> None:
        emit("error", _line(values))

    def debug(self, *values: object) -> None:
        emit("debug", _line(values))

    def trace(self, *values: object) -> None:
        emit("trace", _line(values))


class Logger:
    """The part of `logging.Logger` that Actions use; levels map to those of the console."""

    def __init__(self, name: str = "root") -> None:
        self.name = name

    def debug(self, message: object, *arguments: object, **_options: object) -> None:
        emit("debug", _filled(message, arguments))

    def info(self, message: object, *arguments: object, **_options: object) -> None:
        emit("info", _filled(message, arguments))

    def warning(self, message: object, *arguments: object, **_options: object) -> None:
        emit("warn", _filled(message, arguments))

    warn = warning

    def error(self, message: object, *arguments: object, exc_info: object = None, **_options: object) -> None:
        emit("error", _filled(message, arguments) + (_current_error() if exc_info else ""))

    critical = fatal = error

    def exception(self, message: object, *arguments: object, **_options: object) -> None:
        self.error(message, *arguments, exc_info=True)

    def log(self, level: int, message: object, *arguments: object, **_options: object) -> None:
        emit(_level(level), _filled(message, arguments))

    def setLevel(self, level: object) -> None:
        """Everything is kept; the host bounds the log."""

    def isEnabledFor(self, _level: int) -> bool:
        return True

    def getChild(self, suffix: str) -> "Logger":
        return Logger(f"{self.name}.{suffix}")


def _filled(message: object, arguments: tuple[Any, ...]) -> str:
    if len(arguments) == 1 and isinstance(arguments[0], dict) and arguments[0]:
        return str(message) % arguments[0]
    return str(message) % arguments if arguments else str(message)


def _current_error() -> str:
    error = sys.exception()
    return "" if error is None else f": {type(error).__name__}: {error}"


def _level(number: int) -> str:
    if number >= 30:
        return "error" if number >= 40 else "warn"
    return "info" if number >= 20 else "debug"


def get_logger(name: str | None = None) -> Logger:
    return Logger("root" if name is None else str(name))


def basic_config(**_options: object) -> None:
    """Nothing to configure: the log belongs to the execution."""


class Stream:
    """Stand-in for `sys.stdout` and `sys.stderr`; those of the image would trap."""

    def __init__(self, level: str) -> None:
        self._level = level

    def write(self, text: str) -> int:
        if text.strip():
            emit(self._level, text.rstrip("\n"))
        return len(text)

    def flush(self) -> None:
        """Every write is an entry of its own."""


def _unraisable(unraisable: Any) -> None:
    """An exception in a finaliser: Python goes on, the log says so."""
    error = unraisable.exc_value
    emit("warn", f"exception ignored in a finaliser: {type(error).__name__}")


def _warning(message: object, category: type, _file: str, line: int, *_rest: object) -> None:
    emit("warn", f"{category.__name__}: {message} (line {line})")


def install() -> None:
    """Library code that prints or warns ends up in the log."""
    import warnings

    sys.stdout = Stream("log")
    sys.stderr = Stream("warn")
    sys.unraisablehook = _unraisable
    warnings.showwarning = _warning  # type: ignore[assignment] # called by position
