"""`api.cache`: a small store per trigger. Limit problems are returned, not thrown."""

from __future__ import annotations

import math
from typing import Any, Final

from triggers.engine.call import Call
from triggers.engine.services import CacheRecord
from triggers.engine.surface import UNDEFINED, Method, Option, Options, Parameter
from triggers.values.arguments import CacheDeleted, CacheError, CacheSuccess, CacheValue, Number
from triggers.values.json_value import MAX_SAFE_INTEGER

MAX_KEY_BYTES: Final = 64
MAX_VALUE_BYTES: Final = 4096
MAX_TOTAL_BYTES: Final = 16_640
"""Keys and values of all records, the old value of the same key included, plus the new pair."""
MAX_RECORDS: Final = 20
DEFAULT_TTL: Final = 900_000
"""Milliseconds: 15 minutes."""
MAX_TTL: Final = 86_400_000
"""Milliseconds: 24 hours."""


def _get(call: Call) -> Any:
    record = call.services.cache.get(call.arguments["key"], call.services.now())
    return {"value": record.value, "expires_at": record.expires_at} if record else UNDEFINED


def _delete(call: Call) -> Any:
    found = call.services.cache.delete(call.arguments["key"], call.services.now())
    return {"type": "success"} if found else _error("CacheKeyDoesNotExist")


def _set(call: Call) -> Any:
    key, value = call.arguments["key"], call.arguments["value"]
    now = call.services.now()
    problem = _size_problem(call, key, value, now)
    if problem is not None:
        return _error(problem)
    expires_at = _expiry(call.arguments.get("options", {}), now)
    if isinstance(expires_at, str):
        return _error(expires_at)
    call.services.cache.set(key, CacheRecord(value, expires_at), now)
    return {"type": "success", "record": {"value": value, "expires_at": expires_at}}


def _size_problem(call: Call, key: str, value: str, now: int) -> str | None:
    key_bytes, value_bytes = len(key.encode()), len(value.encode())
    if key_bytes > MAX_KEY_BYTES:
        return "CacheKeySizeExceeded"
    if value_bytes > MAX_VALUE_BYTES:
        return "CacheValueSizeExceeded"
    count, used = call.services.cache.usage(now)
    if used + key_bytes + value_bytes > MAX_TOTAL_BYTES:
        return "CacheSizeExceeded"
    if count >= MAX_RECORDS and call.services.cache.get(key, now) is None:
        return "CacheSizeExceeded"
    return None


def _expiry(options: dict[str, Any], now: int) -> int | str:
    """Milliseconds since 1970, or the code of what is wrong, checked in the package's order."""
    candidates = []
    for name, base in (("ttl", now), ("expires_at", 0)):
        if name in options:
            if not _finite(options[name]):
                return "InvalidExpiry"
            candidates.append(base + options[name])
    expires_at = min(candidates, default=now + DEFAULT_TTL)
    if expires_at <= now:
        return "ItemAlreadyExpired"
    if expires_at != int(expires_at) or expires_at > MAX_SAFE_INTEGER:
        return "InvalidExpiry"
    return min(int(expires_at), now + MAX_TTL)


def _finite(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _error(code: str) -> dict[str, str]:
    return {"type": "error", "code": code}


_KEY: Final = Parameter("key", str, f"At most {MAX_KEY_BYTES} bytes of UTF-8.")

CACHE: Final = (
    Method(
        "cache.get",
        "query",
        "value",
        "Read a record; undefined when there is none or it expired.",
        parameters=(_KEY,),
        value=CacheValue | None,
        run=_get,
    ),
    Method(
        "cache.set",
        "query",
        "value",
        "Write a record. Without ttl and expires_at it lives 15 minutes; with both, the earlier counts.",
        parameters=(_KEY, Parameter("value", str, f"At most {MAX_VALUE_BYTES} bytes of UTF-8.")),
        options=Options(
            (
                Option(
                    "ttl", Number, "Lifetime in milliseconds.", default=DEFAULT_TTL, nullable=True, raw=True
                ),
                Option("expires_at", Number, "Expiry in milliseconds since 1970.", nullable=True, raw=True),
            )
        ),
        value=CacheSuccess | CacheError,
        decided="Where documentation and package disagree the package's figures hold: 16 640 bytes in all. "
        "A record beyond the 20 that the documentation allows answers CacheSizeExceeded; expired records do "
        "not count. Lifetimes over 24 hours are cut to 24 hours. NaN and infinities arrive as null and "
        "answer InvalidExpiry. A key or value that is not a string throws TypeError.",
        run=_set,
    ),
    Method(
        "cache.delete",
        "query",
        "value",
        "Remove a record.",
        parameters=(_KEY,),
        value=CacheDeleted | CacheError,
        run=_delete,
    ),
)
