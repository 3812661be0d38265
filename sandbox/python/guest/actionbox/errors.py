"""Exceptions that come from the host. Each also is the builtin exception it stands for."""

from typing import Any


class ApiError(Exception):
    """An api call was refused.

    Attributes:
        name: the host's class name for it, e.g. `TypeError`.
        code: names the rule, where the trigger gives one.
    """

    def __init__(self, message: str, name: str = "Error", code: str | None = None) -> None:
        super().__init__(message)
        self.name = name
        self.code = code


class ApiTypeError(ApiError, TypeError):
    """An argument of an api call has the wrong type."""


class ApiValueError(ApiError, ValueError):
    """An argument of an api call has a value that is not allowed."""


class FetchError(OSError):
    """A request was refused or broke. `rule` says why, e.g. `private-address`, `dns`, `timeout`."""

    def __init__(self, message: str, rule: str | None = None) -> None:
        super().__init__(message)
        self.rule = rule


class FetchArgumentError(TypeError, ValueError):
    """An argument of a request is refused, before anything of the network is asked. What JavaScript has as
    `TypeError`. `rule` says which: `url`, `method`, `headers` or `option`."""

    def __init__(self, message: str, rule: str = "option") -> None:
        super().__init__(message)
        self.rule = rule


class FetchTimeoutError(FetchError, TimeoutError):
    """A request did not finish in its time."""


class HTTPStatusError(FetchError):
    """`response.raise_for_status()` met a status of 400 or more."""

    def __init__(self, message: str, response: Any) -> None:
        super().__init__(message, "status")
        self.response = response


class OutputError(ValueError):
    """A value is larger or deeper than what an Action may send."""


class UnsettledError(BaseException):
    """The loop waits for something that nothing can settle. Never reaches tenant code."""


_KINDS = {"TypeError": ApiTypeError, "ValueError": ApiValueError, "RangeError": ApiValueError}


def api_error(error: dict[str, Any]) -> ApiError:
    """The exception for an `error` object of an api reply."""
    name = str(error.get("name") or "Error")
    message = str(error.get("message") or "The call was refused.")
    return _KINDS.get(name, ApiError)(message, name, error.get("code"))


def fetch_error(error: dict[str, Any]) -> FetchError | FetchArgumentError:
    """The exception for an `error` object of a fetch answer."""
    message = str(error.get("message") or "The request failed.")
    rule = error.get("rule")
    if error.get("argument"):
        return FetchArgumentError(message, str(rule))
    return (FetchTimeoutError if rule == "timeout" else FetchError)(message, rule)
