"""Signatures as two numbers, in DER (`hazmat.primitives.asymmetric.utils`)."""

_SEQUENCE, _INTEGER = 0x30, 0x02


def encode_dss_signature(r: int, s: int) -> bytes:
    """The DER form of a signature."""
    return _written(
        _SEQUENCE, b"".join(_written(_INTEGER, n.to_bytes(n.bit_length() // 8 + 1)) for n in (r, s))
    )


def decode_dss_signature(signature: bytes) -> tuple[int, int]:
    """Its numbers r and s. Raises ValueError."""
    body, rest = _read(_SEQUENCE, signature)
    r, body = _read(_INTEGER, body)
    s, body = _read(_INTEGER, body)
    if body or rest:
        raise ValueError("the signature has trailing data")
    return int.from_bytes(r), int.from_bytes(s)


def _written(tag: int, body: bytes) -> bytes:
    size = len(body)  # of the largest curve: 139
    return bytes([tag, size] if size < 0x80 else [tag, 0x81, size]) + body


def _read(tag: int, data: bytes) -> tuple[bytes, bytes]:
    long = data[1:2] == b"\x81"
    start = 3 if long else 2
    if len(data) < start or data[0] != tag or not len(data) - start >= data[start - 1]:
        raise ValueError("the signature is not DER")
    end = start + data[start - 1]
    return data[start:end], data[end:]
