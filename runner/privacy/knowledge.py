"""What a record's own fields say about its words: collected before anything is replaced."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from runner.privacy import vocabulary
from runner.privacy.fields import Place, event_shape, mapped
from runner.privacy.pseudonyms import Keyed
from runner.privacy.shapes import is_address, is_phone, phone
from runner.privacy.texts import REMOVED, Known, is_signed
from runner.replay.record import FlowRecord
from triggers.events.model.classes import FieldClass

_STRICT: Final = frozenset({FieldClass.IDENTIFIER, FieldClass.CONTACT})
_SHORT: Final = 3
"""Tokens of fewer characters are hidden everywhere only when a value has no longer ones."""
_DOMAIN: Final = re.compile(r"[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)+")
_ID: Final = re.compile(r"(?P<prefix>[a-z0-9-]+\||[a-z]{2,4}_|anon@)(?P<rest>.*)", re.DOTALL)
_CLASSED: Final = frozenset(FieldClass) - {FieldClass.PLAIN}
_NUMBER: Final = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
_MOST_CREDENTIALS: Final = 32
"""That are searched for as a whole; of further ones the tokens are hidden."""


class Knowledge:
    """Args:
    shown: paths in the event that are shown as they are, for finding out which field matters.
    """

    def __init__(self, record: FlowRecord, keyed: Keyed, shown: frozenset[str] = frozenset()) -> None:
        self._ours = vocabulary.common() | vocabulary.of_trigger(record.trigger)
        self.known = Known(kept=set(self._ours))
        self.credentials: dict[str, str] = {}
        self._keyed, self._shown = keyed, shown
        self._classed: list[tuple[Place, str]] = []
        self._of_plain: set[str] = set()
        self.known.kept |= vocabulary.of_sources(record.actions)
        for event in events(record):
            mapped(event_shape(record.trigger), None, event, "", self._plain, str)
        self.known.kept |= self._of_plain
        for event in events(record):
            mapped(event_shape(record.trigger), None, event, "", self._sensitive, str)
        for place, value in self._classed:
            self._hide(place.kind, value)
        self.known.sensitive -= self.known.shown

    # --- passes ---

    def _plain(self, place: Place, value: Any) -> Any:
        if place.path in self._shown:
            for text in _leaves(value):
                self.known.shown.add(text)
                self.known.shown.update(vocabulary.tokens(text))
                self.known.kept.update(vocabulary.tokens(text))
                self.known.shown.update(re.findall(r"[0-9A-Za-z.:+@-]+", text))
        elif place.kind in (FieldClass.PLAIN, "listed") and isinstance(value, str):
            self._of_plain.update(vocabulary.tokens(value))
        return value

    def _sensitive(self, place: Place, value: Any) -> Any:
        if place.path not in self._shown and place.kind in _CLASSED:
            self._classed.extend((place, text) for text in _leaves(value))
        return value

    def _hide(self, kind: Any, text: str) -> None:
        found = list(vocabulary.tokens(text))
        if kind is FieldClass.CREDENTIAL:
            self._remove(text, found)
        elif not found:
            if len(text) > _SHORT:
                self.known.replaced[text] = self._keyed.stream("odd", text, len(text)).hex()[: len(text)]
        elif kind is FieldClass.CONTACT and is_phone(text):
            bare, new = (re.sub("[^0-9]", "", item) for item in (text, phone(self._keyed, text)))
            self.known.replaced[bare] = new
            self.known.sensitive.update(token for token in found if len(token) >= _SHORT)
        elif kind is not FieldClass.NETWORK or not is_address(text):
            own = [*self._own(kind, text, found)]
            if not own and all(self._stays(token) for token in found):
                own = found if kind in _STRICT else [self._telling(found)]
            self.known.sensitive.update(own)

    def _remove(self, text: str, found: list[str]) -> None:
        if is_signed(text):
            return
        if len(self.credentials) < _MOST_CREDENTIALS:
            self.credentials[str(len(self.credentials))] = text
            self.known.replaced[text] = REMOVED
        if len(found) == 1 and len(text) > _SHORT:
            self.known.credentials.update(found)
        else:
            self.known.sensitive.update(_long(found))

    def _own(self, kind: Any, text: str, found: list[str]) -> Iterable[str]:
        """Tokens of a value that are hidden wherever they stand."""
        if kind is FieldClass.CONTACT:
            local, at, domain = text.rpartition("@")
            if at or (_DOMAIN.fullmatch(domain) and domain.rpartition(".")[2].lower() in vocabulary.common()):
                unkept = [token for token in self._unkept(domain) if len(token) >= _SHORT]
                return [*_long([*vocabulary.tokens(local)]), *unkept]
        if kind is FieldClass.IDENTIFIER and (parts := _ID.fullmatch(text)):
            return [*_long([*vocabulary.tokens(parts["rest"])]), *self._unkept(parts["prefix"])]
        if kind is FieldClass.NETWORK and _NUMBER.fullmatch(text):
            return [token for token in found if len(token) >= _SHORT]
        return _long(found) if kind in _STRICT else ()

    def _telling(self, found: list[str]) -> str:
        """The one token without which a text of known words is not there any more."""
        return max(
            found, key=lambda token: (token not in self._ours, token not in self._of_plain, len(token))
        )

    def _stays(self, token: str) -> bool:
        return token in self.known.kept or (token.isdigit() and len(token) <= _SHORT)

    def _unkept(self, text: str) -> list[str]:
        return [token for token in vocabulary.tokens(text) if token not in self.known.kept]


def events(record: FlowRecord) -> Iterator[Any]:
    """The event, and what of it pending commands changed."""
    if isinstance(record.state, dict):
        yield record.state.get("event")
        yield record.state.get("stored")


def _long(found: list[str]) -> list[str]:
    """The tokens that are long enough to be a value's own, or all of them when none is."""
    return [token for token in found if len(token) >= _SHORT or not token.isascii()] or found


def _leaves(value: Any) -> Iterator[str]:
    """All texts in a value, and its numbers as JSON writes them."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, dict):
            waiting += item.values()
        elif isinstance(item, list):
            waiting += item
        elif isinstance(item, int | float) and not isinstance(item, bool):
            yield json.dumps(item)
