"""Computations that the host does for the guest (sandbox/hostcrypto): a call each, answered at once."""

import base64
import json
from typing import Any

from . import wire


class HostError(ValueError):
    """The host refused a computation. `code` is Node's, `name` the kind of error there."""

    def __init__(self, message: str, name: str = "Error", code: str | None = None) -> None:
        super().__init__(message)
        self.name = name
        self.code = code


def compute(operation: str, **arguments: Any) -> Any:
    """The host's answer. Bytes cross as base64, and None is left out.

    Raises:
        HostError: refused.
    """
    given = {name: _crossing(value) for name, value in arguments.items() if value is not None}
    text = wire.call(f"compute.{operation}", json.dumps(given))
    reply = json.loads(text) if text else {"error": {"message": "the host does not answer"}}
    error = reply.get("error")
    if error is not None:
        raise HostError(error.get("message") or "refused", error.get("name") or "Error", error.get("code"))
    return reply["ok"]


def data(operation: str, **arguments: Any) -> bytes:
    """The bytes that a computation answers. Raises `HostError`."""
    return base64.b64decode(compute(operation, **arguments)["data"])


def _crossing(value: Any) -> Any:
    return base64.b64encode(value).decode() if isinstance(value, (bytes, bytearray, memoryview)) else value
