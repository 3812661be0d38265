"""`zlib` and `gzip` of Python Actions: programs print the same on this host."""

# ruff: noqa: E501 - programs of one line

from __future__ import annotations

import gzip
import zlib

from tests.sandbox.python.actions import Runner
from tests.sandbox.python.pyjwt import in_an_action, same

TEXT = b"text that repeats, text that repeats, text"


def test_what_others_packed(runner: Runner) -> None:
    raw = zlib.compressobj(wbits=-15)
    packed = {
        "plain": zlib.compress(TEXT),
        "raw": raw.compress(TEXT) + raw.flush(),
        "zipped": gzip.compress(TEXT, mtime=5) + gzip.compress(b"more"),
    }
    program = """
        import gzip, zlib
        print(zlib.decompress(plain), zlib.decompress(raw, -15), zlib.decompress(raw, wbits=-zlib.MAX_WBITS), gzip.decompress(zipped), zlib.decompress(plain, 47), gzip.decompress(b""))
        print(zlib.crc32(plain), zlib.adler32(plain), zlib.adler32(plain, 77), zlib.crc32(b""))
        for call in (lambda: zlib.decompress(b"none"), lambda: zlib.decompress(plain[:-5]), lambda: zlib.decompress(b""), lambda: gzip.decompress(b"none"),
                     lambda: gzip.decompress(zipped[:-5]), lambda: zlib.compress(b"", 12), lambda: zlib.decompress(plain, -15)):
            try:
                print(call())
            except (zlib.error, EOFError, OSError) as error:
                print(type(error).__name__)
    """
    assert len(same(runner, program, **packed)) == 9


def test_what_it_packs(runner: Runner) -> None:
    program = "import gzip, zlib\nprint(zlib.compress(t).hex(), zlib.compress(t, 1, -15).hex(), gzip.compress(t).hex())"
    plain, raw, zipped = map(bytes.fromhex, in_an_action(runner, program, t=TEXT)[0].split())
    assert (zlib.decompress(plain), zlib.decompress(raw, -15), gzip.decompress(zipped)) == (TEXT, TEXT, TEXT)
    assert len(plain) < len(TEXT)


def test_a_bomb_is_an_error(runner: Runner) -> None:
    bomb = zlib.compress(bytes(50_000_000))
    program = "import zlib\ntry:\n    zlib.decompress(bomb)\nexcept ValueError as error:\n    print(error)"
    assert in_an_action(runner, program, bomb=bomb) == ["the data inflate to more than 4194304 bytes"]
