"""Fetch through a live port, as engines do."""

from __future__ import annotations

import base64
import json
from typing import Any

from sandbox.egress import EgressPolicy, HttpEgress
from sandbox.egress.http.lookup import Lookup, system_lookup
from sandbox.port.live import LivePort
from tests.sandbox.ports import live


def fetch(port: LivePort, url: str, **options: Any) -> dict[str, Any]:
    """The settled answer to one fetch: `{"ok": ...}` with its body decoded, or `{"error": ...}`."""
    return settled(port, begin(port, url, **options))


def begin(port: LivePort, url: str, **options: Any) -> int:
    """Start a fetch; a `body` given as text or bytes is encoded."""
    body = options.get("body")
    if isinstance(body, str):
        body = body.encode()
    if body is not None:
        options["body"] = base64.b64encode(body).decode()
    return port.start("fetch", json.dumps({"url": url, **options}))


def settled(port: LivePort, handle: int) -> dict[str, Any]:
    text = port.wait_any([handle], None)
    assert text, "the fetch did not settle before the deadline"
    answer: dict[str, Any] = json.loads(text)
    assert answer["id"] == handle
    if "ok" in answer:
        answer["ok"]["body"] = base64.b64decode(answer["ok"]["body"])
    return answer


def rule(answer: dict[str, Any]) -> str:
    """The egress rule that `answer` was refused by."""
    assert "error" in answer, answer
    assert answer["error"]["name"] == "TypeError"
    assert answer["error"]["code"] == "egress"
    return str(answer["error"]["rule"])


def local(
    policy: EgressPolicy | None = None, *, seconds: float = 10.0, lookup: Lookup = system_lookup
) -> LivePort:
    """A port that may reach loopback."""
    return live(egress=HttpEgress(policy or EgressPolicy(allow_private=True), lookup=lookup), seconds=seconds)
