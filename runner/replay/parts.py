"""Digests of the parts of a record, so that a changed byte is told with its place.

They are kept in the record, under the JSON path of each part. They tell damage, not forgery: whoever can
write a record can write its digests.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import zip_longest
from typing import Any, Final

from pydantic import TypeAdapter

from sandbox.core.json_text import well_formed
from sandbox.core.program import Source

_PART: Final = 12
"""Hexadecimal digits of a part's digest."""
_ENTRY: Final = 8
"""Those of one entry of a journal; they stand one after another."""
_SPLIT: Final = ("parts", "context", "state", "actions", "executions", "outcome")
_ENCODER: Final = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, check_circular=False
)
_SOURCE: Final = TypeAdapter(Source)


def digests(record: Mapping[str, Any]) -> dict[str, str]:
    """Digests of a record's parts by their paths, in order. `record`: as JSON; sources may be left out."""
    return dict(_digests(record))


@lru_cache(maxsize=256)
def source_digests(source: Source) -> tuple[tuple[str, str], ...]:
    """What `digests` says of a source, by paths that go on from its own. Kept, because packages are large and
    the same for every leg."""
    return tuple(_source("", _SOURCE.dump_python(source, mode="json")))


def damage(record: Mapping[str, Any]) -> str | None:
    """The JSON path of the first part that does not fit its digest, with what is the matter; None when
    nothing is. `record`: as JSON."""
    kept: Mapping[str, str] = record["parts"]
    found = digests(record)
    for path, digest in found.items():
        if path not in kept:
            return f"{path} was added after the record was written"
        if kept[path] != digest:
            return _place(path, kept[path], digest)
    gone = next((path for path in kept if path not in found), None)
    return None if gone is None else f"{gone} is missing"


def digest_of(value: Any, digits: int = _PART) -> str:
    """Over canonical JSON, in hexadecimal."""
    text = _ENCODER.encode(value)
    return hashlib.blake2b(well_formed(text).encode(), digest_size=digits // 2).hexdigest()


def _place(path: str, kept: str, found: str) -> str:
    if not path.endswith(".entries"):
        return f"{path} was changed after the record was written"
    pairs = zip_longest(_chunks(kept), _chunks(found))
    index = next(number for number, (one, other) in enumerate(pairs) if one != other)
    if len(kept) != len(found):
        return f"{path}[{index}]: entries were added or left out here after the record was written"
    return f"{path}[{index}] was changed after the record was written"


def _chunks(text: str) -> list[str]:
    return [text[at : at + _ENTRY] for at in range(0, len(text), _ENTRY)]


def _digests(record: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "$", digest_of({name: value for name, value in record.items() if name not in _SPLIT})
    yield "$.context", digest_of(record.get("context"))
    for index, action in enumerate(record["actions"]):
        path = f"$.actions[{index}]"
        yield path, digest_of({**action, "source": None, "last_good": None})
        for name in ("source", "last_good"):
            if action.get(name) is not None:
                yield from _source(f"{path}.{name}", action[name])
    yield from _members("$.state", record["state"], "event")
    for index, execution in enumerate(record["executions"]):
        yield from _execution(f"$.executions[{index}]", execution)
    yield from _members("$.outcome", record["outcome"], "")


def _source(path: str, source: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    packages = source["dependencies"]
    yield path, digest_of({**source, "dependencies": None})
    if packages is not None:
        yield f"{path}.dependencies", digest_of({**packages, "modules": None})
        for index, module in enumerate(packages["modules"]):
            yield f"{path}.dependencies.modules[{index}]", digest_of(module)


def _members(path: str, value: Any, open_member: str) -> Iterator[tuple[str, str]]:
    """An object as a whole, but for those of `open_member`, each by itself."""
    inner = value.get(open_member) if isinstance(value, dict) else None
    if not isinstance(inner, dict):
        yield path, digest_of(value)
        return
    yield path, digest_of({**value, open_member: None})
    for name, item in inner.items():
        yield f"{path}.{open_member}.{name}", digest_of(item)


def _execution(path: str, execution: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    journal = execution["journal"]
    entries = journal.get("entries") if isinstance(journal, dict) else None
    if not isinstance(entries, list):
        yield path, digest_of(execution)
        return
    yield path, digest_of({**execution, "journal": {**journal, "entries": None}})
    yield f"{path}.journal.entries", "".join(digest_of(entry, _ENTRY) for entry in entries)
