"""`api.transaction.setMetadata`: data that the Actions of one transaction share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from triggers.engine.call import Call
from triggers.engine.commands import RecordedCommand
from triggers.engine.draft import Draft
from triggers.engine.surface import Change, Method, Parameter, Returns
from triggers.values.arguments import Scalar, text
from triggers.values.json_value import MAX_SAFE_INTEGER, record, replaced
from triggers.values.json_value import text as json_text

MAX_KEY: Final = 64
MAX_VALUE_BYTES: Final = 8 * 1024
MAX_TOTAL_BYTES: Final = 16 * 1024


def _bytes(value: Any) -> int:
    """A string counts its UTF-8 bytes, numbers and booleans the bytes of their JSON."""
    return len((value if isinstance(value, str) else json_text(value)).encode())


def _check(call: Call) -> None:
    value = call.arguments["value"]
    if isinstance(value, (int, float)) and float(value).is_integer() and abs(value) > MAX_SAFE_INTEGER:
        raise call.refusal("value must be a safe integer (at most 2^53 - 1 in size)")
    if value is not None and _bytes(value) > MAX_VALUE_BYTES:
        raise call.refusal(f"value takes {_bytes(value)} bytes; the limit is {MAX_VALUE_BYTES}", code="limit")
    after = _updated(call.event, call.arguments)
    total = sum(len(key.encode()) + _bytes(item) for key, item in after.items())
    if value is not None and total > MAX_TOTAL_BYTES:
        raise call.refusal(
            f"the transaction's metadata would take {total} bytes; the limit is {MAX_TOTAL_BYTES}",
            code="limit",
        )


def _updated(event: Mapping[str, Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    metadata = {**record(event, "transaction", "metadata"), arguments["key"]: arguments["value"]}
    if arguments["value"] is None:
        del metadata[arguments["key"]]
    return metadata


def _change(event: Mapping[str, Any], arguments: Mapping[str, Any]) -> list[Change]:
    metadata = _updated(event, arguments)
    if isinstance(event.get("transaction"), dict):
        return [(["transaction", "metadata"], metadata)]
    return [(["transaction"], {"metadata": metadata})]


def _apply(draft: Draft, _command: RecordedCommand) -> None:
    draft.members["transaction_metadata"] = dict(record(draft.event, "transaction", "metadata"))


def with_metadata(event: dict[str, Any]) -> dict[str, Any]:
    """The event with the metadata object that every transaction has."""
    if not isinstance(event.get("transaction"), dict):
        return event
    return replaced(event, ["transaction", "metadata"], record(event, "transaction", "metadata"))


def with_transaction(event: dict[str, Any]) -> dict[str, Any]:
    """The event with a transaction and its metadata, whether the platform gave one or not."""
    return replaced(event, ["transaction", "metadata"], record(event, "transaction", "metadata"))


def set_metadata(returns: Returns) -> Method:
    """`transaction.setMetadata(key, value)`."""
    return Method(
        "transaction.setMetadata",
        "live",
        returns,
        "Share a value with the Actions that follow in this transaction, in later triggers too; "
        "event.transaction.metadata shows it at once.",
        parameters=(
            Parameter("key", text(MAX_KEY, minimum=1), f"1 to {MAX_KEY} characters."),
            Parameter(
                "value",
                Scalar | None,
                f"A string, number or boolean of at most {MAX_VALUE_BYTES} bytes; null removes the key.",
                nullable=True,
            ),
        ),
        decided="A violation throws, undefined as the value too: only null removes. 8 KB is 8192 bytes and "
        "16 KB 16 384 bytes of UTF-8, keys and values; numbers and booleans count as their JSON. Without "
        "event.transaction the object is made.",
        run=_check,
        change=_change,
        apply=_apply,
    )
