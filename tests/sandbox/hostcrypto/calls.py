"""Calls `compute` the way a guest does."""

from __future__ import annotations

import base64
import functools
import json
import time
from typing import Any

from sandbox.hostcrypto import compute


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def unb64(text: str) -> bytes:
    return base64.b64decode(text)


def call(operation: str, **arguments: Any) -> dict[str, Any]:
    """The whole answer."""
    answer: dict[str, Any] = json.loads(compute(operation, json.dumps(arguments), time.monotonic() + 10))
    return answer


def ok(operation: str, **arguments: Any) -> dict[str, Any]:
    answer = call(operation, **arguments)
    assert "ok" in answer, answer
    found: dict[str, Any] = answer["ok"]
    return found


def refused(operation: str, **arguments: Any) -> dict[str, Any]:
    answer = call(operation, **arguments)
    assert "error" in answer, answer
    found: dict[str, Any] = answer["error"]
    return found


def jwk(**fields: str) -> dict[str, Any]:
    return {"format": "jwk", "data": fields}


def der(data: str, kind: str = "pkcs8") -> dict[str, Any]:
    return {"format": "der", "type": kind, "data": data}


@functools.cache
def pair(kind: str, curve: str | None = None) -> tuple[dict[str, Any], dict[str, Any]]:
    """A private and a public key, made once."""
    extra: dict[str, Any] = {"modulusLength": 2048} if kind == "rsa" else {}
    made = ok("key.generate", type=kind, **({"curve": curve} if curve else extra))
    return der(made["private"]["der"]), der(made["public"]["der"], "spki")
