"""Sending what a provider would send, to any address: for people who set a hook up."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import urllib3

from runner.hooks.model import Answer, Hook, Provider
from runner.model.errors import InputError

_MAX_BYTES: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Simulated:
    """`goes_on`: the provider would let its user go on."""

    answer: Answer
    goes_on: bool
    seconds: float


def simulate(
    provider: Provider,
    hook: Hook,
    payload: Mapping[str, Any],
    url: str,
    secret: str,
    ca_file: str | None = None,
) -> Simulated:
    """Send one signed request, and read the answer as the provider does. Raises `InputError`."""
    raw = json.dumps(payload, separators=(",", ":"), ensure_ascii=False).encode()
    headers, body = provider.sign(hook, raw, secret, time.time())
    pool = urllib3.PoolManager(
        retries=False, timeout=urllib3.Timeout(total=hook.limit_ms / 1000), ca_certs=ca_file
    )
    began = time.perf_counter()
    try:
        found = pool.request("POST", url, body=body, headers=headers, redirect=False, preload_content=False)
        data = found.read(_MAX_BYTES)
        found.close()
    except (urllib3.exceptions.HTTPError, ValueError) as error:
        raise InputError(
            "unreachable", f"{url} gave no answer within {hook.limit_ms / 1000:g} s: {error}"
        ) from None
    answer = Answer(found.status, data, dict(found.headers))
    return Simulated(answer, provider.goes_on(hook, answer), time.perf_counter() - began)
