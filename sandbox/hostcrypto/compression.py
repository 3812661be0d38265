"""zlib for guests whose image has none."""

from __future__ import annotations

import zlib
from typing import Any, Final

from sandbox.core.caps import MAX_COMPUTE_INFLATED_BYTES
from sandbox.hostcrypto.arguments import Arguments, base64_text
from sandbox.hostcrypto.errors import CryptoError, out_of_range

_FORMS: Final = {"zlib": zlib.MAX_WBITS, "raw": -zlib.MAX_WBITS, "gzip": zlib.MAX_WBITS | 16}


def deflate(arguments: Arguments) -> dict[str, Any]:
    """Operation `deflate`: {data, form, level} -> {data}. Its bytes depend on the host's zlib."""
    wbits = _FORMS[arguments.choice("form", _FORMS)]
    level = arguments.whole("level", 0, 9) if arguments.has("level") else -1
    packer = zlib.compressobj(level, zlib.DEFLATED, wbits)
    return {"data": base64_text(packer.compress(arguments.octets("data")) + packer.flush())}


def inflate(arguments: Arguments) -> dict[str, Any]:
    """Operation `inflate`: {data, form} -> {data, rest}: what is inflated, and what follows its end. Stops as
    soon as it is larger than the host takes (threat-model M3)."""
    unpacker = zlib.decompressobj(_FORMS[arguments.choice("form", _FORMS)])
    try:
        made = unpacker.decompress(arguments.octets("data"), MAX_COMPUTE_INFLATED_BYTES + 1)
    except zlib.error as error:
        raise CryptoError(str(error), "Z_DATA_ERROR") from None
    if len(made) > MAX_COMPUTE_INFLATED_BYTES:
        raise out_of_range(f"the data inflate to more than {MAX_COMPUTE_INFLATED_BYTES} bytes")
    if not unpacker.eof:
        raise CryptoError("Error -5 while decompressing data: incomplete or truncated stream", "Z_BUF_ERROR")
    return {"data": base64_text(made), "rest": base64_text(unpacker.unused_data)}
