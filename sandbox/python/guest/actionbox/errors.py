"""Exceptions that come from the host. Each also is the builtin exception it stands for."""


class ApiError(Exception):
    """An api call was refused. `code` names the rule where the trigger gives one."""

    def __init__(self, message, name="Error", code=None):
        super().__init__(message)
        self.name = name
        self.code = code


class ApiTypeError(ApiError, TypeError):
    """An argument of an api call has the wrong type."""


class ApiValueError(ApiError, ValueError):
    """An argument of an api call has a value that is not allowed."""


class FetchError(OSError):
    """A request was refused or broke. `rule` says why, e.g. `private-address`, `dns`, `timeout`."""

    def __init__(self, message, rule=None):
        super().__init__(message)
        self.rule = rule


class FetchTimeoutError(FetchError, TimeoutError):
    """A request did not finish in its time."""


class HTTPStatusError(FetchError):
    """`response.raise_for_status()` met a status of 400 or more."""

    def __init__(self, message, response):
        super().__init__(message, "status")
        self.response = response


_KINDS = {"TypeError": ApiTypeError, "ValueError": ApiValueError, "RangeError": ApiValueError}


def api_error(error):
    """The exception for an `error` object of an api reply."""
    name = str(error.get("name") or "Error")
    return _KINDS.get(name, ApiError)(
        str(error.get("message") or "the call was refused"), name, error.get("code")
    )


def fetch_error(error):
    """The exception for an `error` object of a fetch answer."""
    message = str(error.get("message") or "the request failed")
    rule = error.get("rule")
    return (FetchTimeoutError if rule == "timeout" else FetchError)(message, rule)
