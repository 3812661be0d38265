"""Caps of the cryptographic operations, each at its value and one above."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.core import caps
from tests.sandbox.hostcrypto.calls import b64, call, ok

SCRYPT: dict[str, Any] = {"password": b64(b"p"), "salt": b64(b"s"), "length": 16}


def shake(length: int) -> dict[str, Any]:
    return call("digest", hash="shake256", data=b64(b"x"), length=length)


def test_output_bytes() -> None:
    assert "ok" in shake(caps.MAX_COMPUTE_OUTPUT_BYTES)
    assert shake(caps.MAX_COMPUTE_OUTPUT_BYTES + 1)["error"]["name"] == "RangeError"


def test_key_bytes() -> None:
    def answer(size: int) -> str:
        text = "A" * size
        message: str = call("key.import", key={"format": "pem", "data": text})["error"]["message"]
        return message

    assert answer(caps.MAX_COMPUTE_KEY_BYTES) != answer(caps.MAX_COMPUTE_KEY_BYTES + 1)


@pytest.mark.parametrize(
    ("within", "beyond"),
    [
        # memory: 128 * r * (N + p) bytes
        (
            {"cost": 2**14, "blockSize": 31, "parallelization": 1},
            {"cost": 2**14, "blockSize": 32, "parallelization": 1},
        ),
        # work: N * r * p
        (
            {"cost": 2**10, "blockSize": 8, "parallelization": 64},
            {"cost": 2**10, "blockSize": 8, "parallelization": 65},
        ),
    ],
    ids=["MAX_SCRYPT_BYTES", "MAX_SCRYPT_WORK"],
)
def test_scrypt(within: dict[str, int], beyond: dict[str, int]) -> None:
    assert 128 * within["blockSize"] * (within["cost"] + within["parallelization"]) <= caps.MAX_SCRYPT_BYTES
    assert within["cost"] * within["blockSize"] * within["parallelization"] <= caps.MAX_SCRYPT_WORK
    ok("scrypt", **SCRYPT, **within)
    assert call("scrypt", **SCRYPT, **beyond)["error"]["code"] == "ERR_CRYPTO_INVALID_SCRYPT_PARAMS"


@pytest.mark.parametrize(("name", "cost"), [("sha256", 1), ("sha512", 2), ("sha3-256", 4)])
def test_pbkdf2_work(name: str, cost: int) -> None:
    """The same time for every hash: slower ones get fewer iterations, and each block of output counts."""

    def answer(iterations: int) -> dict[str, Any]:
        arguments = {"hash": name, "iterations": iterations, "length": 32}
        return call("pbkdf2", password=b64(b"p"), salt=b64(b"s"), **arguments)

    most = caps.MAX_PBKDF2_WORK // cost
    assert answer(most + 1)["error"]["name"] == "RangeError"
    assert "ok" in answer(most)


@pytest.mark.parametrize("form", ["zlib", "raw", "gzip"])
def test_inflated_bytes(form: str) -> None:
    def answer(size: int) -> dict[str, Any]:
        packed = ok("deflate", data=b64(bytes(size)), form=form, level=9)["data"]
        return call("inflate", data=packed, form=form)

    assert len(answer(caps.MAX_COMPUTE_INFLATED_BYTES)["ok"]["data"]) > caps.MAX_COMPUTE_INFLATED_BYTES
    assert answer(caps.MAX_COMPUTE_INFLATED_BYTES + 1)["error"]["code"] == "ERR_OUT_OF_RANGE"
