"""Secret values are taken out of everything that is stored or shown (threat-model S2).

Exact matches of the values, of their JSON-escaped forms and of their `repr` are covered; encodings that an
Action makes itself (base64, hashes, parts of a value) are not.

Tenants choose both the secrets and the text, so the search is one `str.find` for each form: linear in the
text whatever the two are (CPython's two-way search), and never longer at a time than one window.
"""

from __future__ import annotations

import itertools
import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, Final

from runner.model.caps import MIN_REDACTED_SECRET
from sandbox.core.json_text import utf8_length, well_formed

SHORT_MARK: Final = "[secret]"
"""As long as the shortest secret that is redacted: with it no text grows."""
LEFT_OUT: Final = "[left out: looking for secrets in it took too long]"
_BATCH: Final = 256 * 1024
"""Characters that are searched together, because a search has a cost of its own."""
_LEAST: Final = 30_000
"""In texts that are shorter CPython searches in the simple way, whose time is that of needle times text."""
_SIMPLE: Final = 2_500
"""Up to this length that does not matter."""
_LOOKS: Final = 64
"""Places that are found between two looks at the clock."""
_WINDOW: Final = 1024 * 1024
"""Characters of one search; the interpreter's lock is held as long."""

Spare = Callable[[], int]


@dataclass(frozen=True, slots=True)
class Form:
    """One text that a secret may stand as. `index`: of its Action; `number`: which of `forms`."""

    text: str
    index: int
    name: str
    number: int


@dataclass(slots=True)  # not frozen: there are thousands, and each takes twice as long then
class _Found:
    start: int
    end: int
    form: Form


class Redactor:
    """Replaces secret values by `[secret NAME]` in text and in JSON values.

    Where secrets overlap, everything that belongs to one of them is replaced.
    """

    def __init__(
        self,
        secrets: Iterable[Mapping[str, str]],
        *,
        until: float | None = None,
        clock: Callable[[], float] = time.thread_time,
    ) -> None:
        """Args:
        secrets: those of every Action of the flow.
        until: when to stop, in seconds of `clock`; what was not searched by then is left out. Of processor
            time, unless told otherwise: what is shown must not depend on what else the machine does.
        """
        known: dict[str, Form] = {}
        for index, mapping in enumerate(secrets):
            for name, value in mapping.items():
                if len(value) >= MIN_REDACTED_SECRET:
                    for number, text in enumerate(forms(value)):
                        known.setdefault(text, Form(text, index, name, number))
        self._forms = sorted(known.values(), key=lambda form: len(form.text), reverse=True)
        self._shortest = len(self._forms[-1].text) if self._forms else 0
        self._until = until
        self._clock = clock
        self._separator = ""

    @property
    def idle(self) -> bool:
        """There is nothing to redact."""
        return not self._forms

    def text(self, text: str) -> str:
        return self._changed({text: 1}).get(text, text)

    def value(self, value: Any, spare: Spare | None = None, each: int | None = None) -> Any:
        """A copy of a JSON value or of a frozen record, redacted in all its strings, keys included; the same
        object when there is nothing to redact.

        Args:
            spare: tells by how many UTF-8 bytes all of it may grow; asked when something is redacted. Marks
                that would take more are without names, and then no text grows.
            each: UTF-8 bytes of one text, above which its marks are without names.
        """
        if self.idle:
            return value
        found = Counter(_strings(value, self._shortest))
        changed = self._changed(found, spare, each)
        return _rebuilt(value, changed) if changed else value

    # --- what subclasses tell more apart ---

    def _mark(self, form: Form, skipped: int) -> str:
        """The mark in place of `form`, of which the first `skipped` characters belong to the mark before."""
        del skipped
        return f"[secret {form.name}]"

    _names_parts = False
    """Whether the mark before also stands for what follows of the same secret."""

    # --- inside ---

    def _changed(
        self, texts: Mapping[str, int], spare: Spare | None = None, each: int | None = None
    ) -> dict[str, str]:
        """Find the new forms of those of `texts` that change. `texts`: with how often each is there."""
        changed: dict[str, str] = {}
        left: int | None = None
        for text, pieces in self._searched(texts):
            if pieces is None:
                changed[text] = LEFT_OUT[: len(text)]
            elif pieces:
                left = spare() if left is None and spare is not None else left
                named = self._replaced(text, pieces)
                size = utf8_length(named)
                growth = (size - utf8_length(text)) * texts[text]
                fits = (left is None or growth <= left) and (each is None or size <= each)
                if growth <= 0 or fits:
                    changed[text] = named
                    left = None if left is None else left - max(growth, 0)
                else:
                    changed[text] = _shortened(text, pieces)
        return changed

    def _searched(self, texts: Iterable[str]) -> Iterator[tuple[str, list[_Found] | None]]:
        """The findings in each text; None where there was no time to search."""
        for batch in _batches(text for text in texts if len(text) >= self._shortest > 0):
            found = self._find(self._joined(batch)) if self._in_time() else None
            if found is None:
                yield from ((text, None) for text in batch)
                continue
            at, number = 0, 0
            for text in batch:
                end, pieces = at + len(text), []
                while number < len(found) and found[number].start < end:
                    item = found[number]
                    pieces.append(_Found(item.start - at, item.end - at, item.form))
                    number += 1
                yield text, pieces
                at = end + 1

    def _joined(self, batch: Sequence[str]) -> str:
        """The texts with something between them that is in no form, long enough to be searched in linear
        time."""
        if len(batch) == 1 and len(batch[0]) <= _SIMPLE:
            return batch[0]
        if not self._separator:
            used = set().union(*(form.text for form in self._forms))
            self._separator = next(char for char in map(chr, itertools.count()) if char not in used)
        text = self._separator.join(batch)
        return text + self._separator * (_LEAST - len(text)) if len(text) > _SIMPLE else text

    def _find(self, text: str) -> list[_Found] | None:
        """Places that together are everything that belongs to a secret, in order. None when the time is
        over."""
        found: list[_Found] = []
        covered = bytearray(len(text))
        for form in self._forms:  # the longest first: what is inside of one needs no place of its own
            length, period, taken = len(form.text), 0, b"\x01" * len(form.text)
            at, looked = _next(text, form.text, 0), 0
            while at >= 0:
                last = at
                if covered.find(0, at, at + length) >= 0:
                    period = period or _period(form.text)
                    for last in _run(text, form.text, at, period):
                        covered[last : last + length] = taken
                        found.append(_Found(last, last + length, form))
                looked += 1
                if looked % _LOOKS == 0 and not self._in_time():
                    return None
                bare = covered.find(0, last + 1)
                at = -1 if bare < 0 else _next(text, form.text, max(last + 1, bare - length + 1))
            if not self._in_time():
                return None
        return sorted(found, key=lambda item: (item.start, -item.end))

    def _in_time(self) -> bool:
        return self._until is None or self._clock() < self._until

    def _replaced(self, text: str, pieces: Sequence[_Found]) -> str:
        parts, at, last = [], 0, ""
        for piece in pieces:
            if piece.end <= at:
                continue
            if piece.start > at or not at:
                parts.append(text[at : piece.start])
                last = ""
            skipped = max(0, at - piece.start)
            if not skipped or self._names_parts or piece.form.name != last:
                parts.append(self._mark(piece.form, skipped))
            at, last = piece.end, piece.form.name
        return "".join((*parts, text[at:]))


def _shortened(text: str, pieces: Sequence[_Found]) -> str:
    """With marks that are no longer than what they stand for."""
    parts: list[str] = []
    at = 0
    for piece in pieces:
        if piece.start >= at:
            parts += (text[at : piece.start], SHORT_MARK)
        at = max(at, piece.end)
    return "".join((*parts, text[at:]))


def _run(text: str, form: str, at: int, period: int) -> Iterator[int]:
    """`at`, where `form` stands in `text`; and where it repeats itself and the text does so too, further
    places that cover as much with as few as can be, the last one among them."""
    yield at
    if not text.startswith(form, at + period):
        return
    length = len(form)
    last = at + _same(text, at + length, period) // period * period
    jump = length // period * period
    yield from range(at + jump, last, jump)
    yield last


def _next(text: str, form: str, start: int) -> int:
    while start + len(form) <= len(text):
        found = text.find(form, start, start + _WINDOW + len(form) - 1)
        if found >= 0:
            return found
        start += _WINDOW
    return -1


def _period(text: str) -> int:
    """The shortest distance at which `text` repeats itself (Knuth, Morris and Pratt)."""
    borders = [0] * len(text)
    border = 0
    for index in range(1, len(text)):
        while border and text[index] != text[border]:
            border = borders[border - 1]
        border += text[index] == text[border]
        borders[index] = border
    return len(text) - border


def _same(text: str, start: int, period: int) -> int:
    """For how many characters from `start` on `text` goes on as it did `period` characters before."""
    at, step = start, period
    while step:
        end = min(at + step, len(text))
        if at < end and text[at:end] == text[at - period : end - period]:
            at, step = end, min(step * 2, _WINDOW)
        else:
            step = min(step, end - at) // 2
    return at - start


def _batches(texts: Iterable[str]) -> Iterator[list[str]]:
    batch: list[str] = []
    size = 0
    for text in texts:
        if batch and size + len(text) > _BATCH:
            yield batch
            batch, size = [], 0
        batch.append(text)
        size += len(text) + 1
    if batch:
        yield batch


def _strings(value: Any, least: int) -> Iterator[str]:
    """All strings in a value that have at least `least` characters."""
    if type(value) is str:  # and no code of an enumeration
        if len(value) >= least:
            yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _strings(key, least)
            yield from _strings(item, least)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _strings(item, least)
    elif is_dataclass(value) and not isinstance(value, type):
        for member in fields(value):
            yield from _strings(getattr(value, member.name), least)


def _rebuilt(value: Any, changed: Mapping[str, str]) -> Any:
    if type(value) is str:
        return changed.get(value, value)
    if isinstance(value, dict):
        return {_rebuilt(key, changed): _rebuilt(item, changed) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_rebuilt(item, changed) for item in value)
    if is_dataclass(value) and not isinstance(value, type):
        return replace(
            value, **{item.name: _rebuilt(getattr(value, item.name), changed) for item in fields(value)}
        )
    return value


def forms(value: str) -> tuple[str, ...]:
    """The value as it is, as it stands in JSON text with and without escapes of its own, as Python shows it
    inside a list, and with U+FFFD for lone surrogates, which is how it comes back from a guest."""
    return (
        value,
        json.dumps(value)[1:-1],
        json.dumps(value, ensure_ascii=False)[1:-1],
        repr(value)[1:-1],
        well_formed(value),
    )
