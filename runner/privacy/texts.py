"""Redacted forms of texts of every kind: prose, JSON, URLs, base64. Linear in the text, whatever it is.

Nothing is searched for: a text is taken apart into tokens, and a token stays only when it is known to say
nothing about a person (`Known`). So what an Action made of personal data is hidden as well as the data.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import gzip
import json
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final
from urllib.parse import quote

from runner.flow.redact import Redactor
from runner.model.caps import MIN_REDACTED_SECRET
from runner.privacy.pseudonyms import Keyed, Words
from runner.privacy.shapes import ISO, ZONE, Times, address, is_phone, phone, zones
from runner.privacy.vocabulary import PIECE, tokens

REMOVED: Final = "[credential]"
"""In place of a credential."""
TOO_DEEP: Final = "[redacted: nested too deeply]"
_SHORT_NUMBER: Final = 3
"""Digits of a number that says nothing by itself: a count, a level, a status."""
_DEEPEST_TEXT: Final = 6
"""JSON text in JSON text, and so on; below it, it is taken for prose."""
_DEEPEST_VALUE: Final = 100
_MARK: Final = "[secret "
_MOST_CACHED: Final = 100_000
_SCAN: Final = re.compile(
    r"(?P<signed>(?<![0-9A-Za-z_-])eyJ[0-9A-Za-z_-]{4,}\.eyJ[0-9A-Za-z_-]{2,}\.[0-9A-Za-z_-]*)"
    rf"|(?P<iso>(?<![0-9A-Za-z]){ISO}(?![0-9A-Za-z]))"
    r"|(?P<v6>(?<![0-9A-Za-z:.])[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}(?:\.[0-9]{1,3}){0,3}(?:/[0-9]{1,3})?"
    r"(?![0-9A-Za-z]|:[0-9A-Fa-f:]))"
    r"|(?P<v4>(?<![0-9A-Za-z.])[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?:/[0-9]{1,2})?(?![0-9A-Za-z]|\.[0-9]))"
    r"|(?P<phone>(?<![0-9A-Za-z])\+[0-9][0-9 ().\-/]{4,28}[0-9](?![0-9A-Za-z]))"
    rf"|(?P<zone>(?<![0-9A-Za-z]){ZONE}(?![0-9A-Za-z/]))"
    r"|(?P<country>(?<=\.)[a-z]{2}(?![0-9A-Za-z@_]))"
    rf"|(?P<token>{PIECE})"
)
_JSON_PIECE: Final = re.compile(r'"(?:[^"\\]|\\.)*"|-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?', re.DOTALL)
_SIGNED: Final = re.compile(r"[0-9A-Za-z_-]+\.[0-9A-Za-z_-]+\.[0-9A-Za-z_-]*")
_HEADER: Final = frozenset({"alg", "typ", "cty", "kid"})
"""Of a token's header: what says how to verify it."""
_PUBLIC_KEY: Final = frozenset({"kty", "alg", "use", "kid", "crv", "n", "e", "x", "y"})
_PRIVATE_KEY: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "k", "oth"})
_GZIP: Final = b"\x1f\x8b"
_MOST_UNPACKED: Final = 8 * 1024 * 1024
_NUMBER_PART: Final = re.compile(r"[eE].*|[0-9]+", re.DOTALL)
_CHUNK: Final = re.compile(r"[0-9A-Za-z\-._~%!*'()]+")
_ESCAPED: Final = re.compile(r"%[0-9A-Fa-f]{2}")


@dataclass(slots=True)
class Known:
    """What is known of the tokens of one record, all in lower case.

    Attributes:
        kept: say nothing about a person: of the vocabulary, of sources, of plain fields.
        sensitive: of classed fields; hidden although they are kept elsewhere.
        credentials: tokens that are a credential by themselves.
        replaced: whole texts with what stands in their place.
        shown: texts, addresses, times and numbers that stay as they are.
    """

    kept: set[str] = field(default_factory=set)
    sensitive: set[str] = field(default_factory=set)
    credentials: set[str] = field(default_factory=set)
    replaced: dict[str, str] = field(default_factory=dict)
    shown: set[str] = field(default_factory=set)


class _Removed(Redactor):
    def _mark(self, form: Any, skipped: int) -> str:  # noqa: ARG002
        return REMOVED


class Masker:
    """Args:
    tag: of the record, at the end of the marks of its secrets.
    credentials: texts to remove wherever they occur.
    """

    def __init__(
        self, keyed: Keyed, known: Known, times: Times, tag: str, credentials: Mapping[str, str]
    ) -> None:
        self._keyed, self._known, self._times = keyed, known, times
        self._words = Words(keyed, known.kept)
        self._end = f" {tag}]"
        self._removed = _Removed([credentials])
        self._cache: dict[str, str] = {}

    # --- texts ---

    def text(self, text: str, depth: int = 0) -> str:
        """The redacted form of a text, or of the JSON in it."""
        whole = self._known.replaced.get(text)
        if whole is not None:
            return whole
        if text[:1] in '{["' and text[-1:] in '}]"' and depth < _DEEPEST_TEXT and _is_json(text):
            return _JSON_PIECE.sub(partial(self._piece, depth=depth + 1), text)
        return self.prose(text)

    def prose(self, text: str) -> str:
        """The redacted form of a text that is no JSON; marks of secrets stay."""
        if text in self._known.shown:
            return text
        if self._end not in text:
            return self._unmarked(text)
        *before, rest = text.split(self._end)
        return "".join((*(self._before_mark(part) + self._end for part in before), self._unmarked(rest)))

    def plain(self, text: str) -> str:
        """A text of a plain field: only what is sensitive elsewhere is hidden."""
        if self._known.sensitive.isdisjoint(tokens(text)) and self._known.credentials.isdisjoint(
            tokens(text)
        ):
            return text if self._removed.idle else self._removed.text(text)
        return self.text(text)

    def signed(self, text: str) -> str | None:
        """A JSON Web Token with other claims, and with bytes that are no signature; None when it is none."""
        if not is_signed(text):
            return None
        parts = text.split(".")
        header = _decoded(parts[0]) or {}
        made = self.value({name: item for name, item in header.items() if name not in _HEADER})
        if made:
            parts[0] = _encoded(json.dumps({**header, **made}, separators=(",", ":")).encode())
        parts[1] = _encoded(self.text(_bytes(parts[1]).decode(), _DEEPEST_TEXT - 1).encode())
        parts[2] = _encoded(self._keyed.stream("signature", text, len(_bytes(parts[2]))))
        return ".".join(parts)

    def base64(self, text: str, *, keys: bool = False) -> str:
        """The redacted form of what base64 text stands for. `keys`: the public keys of a key set stay."""
        try:
            data = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            return self.prose(text)
        return base64.b64encode(self._bytes(text, data, keys)).decode("ascii")

    def _bytes(self, text: str, data: bytes, keys: bool) -> bytes:
        if data.startswith(_GZIP):
            inner = zlib.decompressobj(wbits=31)
            with contextlib.suppress(zlib.error):
                unpacked = inner.decompress(data, _MOST_UNPACKED)
                if inner.eof and not inner.unused_data:
                    return gzip.compress(self._bytes(text, unpacked, keys), mtime=0)
        try:
            plain = data.decode()
        except UnicodeDecodeError:
            return self._keyed.stream("bytes", text, len(data))
        made = self._key_set(plain) if keys and '"kty"' in plain else None
        return (made if made is not None else self.text(plain)).encode("utf-8", "replace")

    def _key_set(self, text: str) -> str | None:
        """A JSON Web Key Set with its public keys as they are; None when it is none."""
        try:
            data = json.loads(text)
        except (ValueError, RecursionError):
            return None
        if not isinstance(data, dict) or not isinstance(data.get("keys"), list):
            return None
        keys = [self._key(item) for item in data.pop("keys")]
        return json.dumps({**self.value(data), "keys": keys}, separators=(",", ":"))

    def _key(self, key: Any) -> Any:
        if not isinstance(key, dict) or not _PRIVATE_KEY.isdisjoint(key):
            return self.value(key)
        return {
            name: item if name in _PUBLIC_KEY and isinstance(item, str) else self.value(item)
            for name, item in key.items()
        }

    # --- values ---

    def value(self, value: Any, named: frozenset[str] = frozenset(), depth: int = 0) -> Any:
        """The redacted form of a JSON value: its names as well as what it holds. `named`: names that stay."""
        if depth > _DEEPEST_VALUE:
            return TOO_DEEP
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list | tuple):
            return [self.value(item, named, depth + 1) for item in value]
        if isinstance(value, dict):
            made: dict[str, Any] = {}
            for key, item in value.items():
                new = key if key in named else self.text(str(key))
                while new in made:
                    new += "_"
                made[new] = self.value(item, named, depth + 1)
            return made
        return value if value is None or isinstance(value, bool) else self.number(value)

    def number(self, value: float) -> Any:
        """The redacted form of a number: as many digits, with a first one that stays."""
        written = json.dumps(value)
        made = self._number(written)
        return value if made == written else json.loads(made)

    # --- inside ---

    def _piece(self, found: re.Match[str], depth: int) -> str:
        written = found[0]
        if written[0] != '"':
            return self._number(written)
        text = json.loads(written)
        made = self.text(text, depth)
        return written if made == text else json.dumps(made, ensure_ascii=written.isascii())

    def _number(self, written: str) -> str:
        if written in self._known.shown:
            return written
        return _NUMBER_PART.sub(lambda part: part[0] if part[0][0] in "eE" else self._token(part[0]), written)

    def _before_mark(self, text: str) -> str:
        at = text.rfind(_MARK)
        return self._unmarked(text) if at < 0 else self._unmarked(text[:at]) + text[at:]

    def _unmarked(self, text: str) -> str:
        if not self._removed.idle and len(text) >= MIN_REDACTED_SECRET:
            text = self._removed.text(text)
        if "%" not in text or _ESCAPED.search(text) is None:
            return _SCAN.sub(self._found, text)
        parts, at = [], 0
        for chunk in _CHUNK.finditer(text):
            if _ESCAPED.search(chunk[0]) is not None:
                parts += [_SCAN.sub(self._found, text[at : chunk.start()]), self._escaped(chunk[0])]
                at = chunk.end()
        return "".join((*parts, _SCAN.sub(self._found, text[at:])))

    def _escaped(self, chunk: str) -> str:
        """Text with percent escapes, as URLs and forms carry it."""
        escapes = _ESCAPED.findall(chunk)
        try:
            plain = _ESCAPED.sub(lambda found: chr(int(found[0][1:], 16)), chunk).encode("latin-1").decode()
        except UnicodeError:
            return "%3F".join(_SCAN.sub(self._found, part) for part in _ESCAPED.split(chunk))
        bare = "".join(char for char in "!*'()" if char in chunk)
        made = quote(self.text(plain, _DEEPEST_TEXT - 2), safe=bare)
        if any(escape != escape.upper() for escape in escapes):
            return _ESCAPED.sub(lambda found: found[0].lower(), made)
        return made

    def _found(self, found: re.Match[str]) -> str:
        text = found[0]
        if text in self._known.shown:
            return text
        made: str | None = None
        match found.lastgroup:
            case "signed":
                made = self.signed(text)
            case "iso":
                made = self._times.iso(text)
            case "v4" | "v6":
                made = address(self._keyed, text)
                if made is None and text.endswith(":"):  # of the sentence that it stands in
                    made = address(self._keyed, text[:-1])
                    made = None if made is None else made + ":"
            case "phone":
                made = phone(self._keyed, text) if is_phone(text) else None
            case "country":
                made = text
            case "zone":
                made = text if text in zones() else None
        if made is not None and (made != text or self._known.sensitive.isdisjoint(tokens(text))):
            return made
        return _TOKENS.sub(lambda token: self._token(token[0]), text)

    def _token(self, token: str) -> str:
        made = self._cache.get(token)
        if made is None:
            made = self._drawn(token)
            if len(self._cache) < _MOST_CACHED:
                self._cache[token] = made
        return made

    def _drawn(self, token: str) -> str:
        lower, known = token.lower(), self._known
        if lower in known.credentials:
            return REMOVED
        hidden = lower in known.sensitive
        whole = known.replaced.get(token)
        if whole is not None:
            return whole
        number = token.isascii() and token.isdigit()
        if not hidden and (lower in known.kept or (number and len(token) <= _SHORT_NUMBER)):
            return token
        if not number:
            return self._words.word(token)
        return (None if hidden else self._times.number(token)) or self._words.digits(token, whole=hidden)


_TOKENS: Final = re.compile(PIECE)


def is_signed(text: str) -> bool:
    """Whether a text is a JSON Web Token that is signed, or says that it is not."""
    if not _SIGNED.fullmatch(text):
        return False
    return all(_decoded(part) is not None for part in text.split(".")[:2])


def _bytes(segment: str) -> bytes:
    return base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _decoded(segment: str) -> dict[str, Any] | None:
    """The JSON object in a segment of a token."""
    try:
        found = json.loads(_bytes(segment))
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
