"""Bodies of requests and of their answers in journals: the host has them as base64, in which nobody sees a
secret unless it is decoded."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from typing import Any, Final

_BODY: Final = re.compile(r'"body": ?"([A-Za-z0-9+/=]+)"')
_HOLDERS: Final = {"start": ("arguments", "arguments"), "wait": ("result", "answer")}
"""Operations whose text has a body (`sandbox.egress.wire`): where in the entry it is."""


def with_bodies(journal: Any, change: Callable[[str], str]) -> Any:
    """The data of a journal, with `change` done to all bodies as text. `journal`: as a file has it; what is
    no journal stays as it is, and is refused by whoever reads it."""
    entries = journal.get("entries") if isinstance(journal, dict) else None
    if not isinstance(entries, list):
        return journal
    return {**journal, "entries": [_entry(entry, change) for entry in entries]}


def _entry(entry: Any, change: Callable[[str], str]) -> Any:
    if not isinstance(entry, dict):
        return entry
    operation = entry.get("operation")
    if not isinstance(operation, str) or operation not in _HOLDERS:
        return entry
    holder, name = _HOLDERS[operation]
    held = entry.get(holder)
    text = held.get(name) if isinstance(held, dict) else None
    if not isinstance(held, dict) or not isinstance(text, str):
        return entry
    made = _BODY.sub(lambda found: _body(found, change), text)
    return entry if made == text else {**entry, holder: {**held, name: made}}


def _body(found: re.Match[str], change: Callable[[str], str]) -> str:
    whole, body = found[0], found[1]
    try:
        text = base64.b64decode(body, validate=True).decode("utf-8", "surrogateescape")
    except (binascii.Error, ValueError):
        return whole
    made = change(text)
    if made == text:
        return whole
    try:
        data = made.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # a secret is called by no text: better a body less than a secret in it
        data = b""
    return whole.replace(body, base64.b64encode(data).decode("ascii"))
