# ruff: noqa: E501
"""Round trips, refusals and hostile arguments of `compute`."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.core import caps
from sandbox.hostcrypto import OPERATIONS, compute
from tests.drawn import examples
from tests.sandbox.hostcrypto.calls import b64, call, der, ok, pair, refused, unb64
from tests.sandbox.ports import live

EC = [("ec", "P-256"), ("ec", "P-384"), ("ec", "P-521"), ("ec", "secp256k1")]
OKP = [("ed25519", None), ("ed448", None)]


@pytest.mark.parametrize("padding", ["pkcs1", "pss"])
@pytest.mark.parametrize("hash_", ["sha256", "sha384", "sha512"])
def test_rsa_signatures_hold_for_their_data_only(padding: str, hash_: str) -> None:
    private, public = pair("rsa")
    signature = ok("sign", key=private, data=b64(b"m"), hash=hash_, padding=padding)["data"]
    both = {"key": public, "signature": signature, "hash": hash_, "padding": padding}
    assert ok("verify", data=b64(b"m"), **both) == {"valid": True}
    assert ok("verify", data=b64(b"n"), **both) == {"valid": False}


@pytest.mark.parametrize(("kind", "curve"), [*EC, *OKP])
@pytest.mark.parametrize("encoding", ["der", "ieee-p1363"])
def test_curve_signatures_hold_for_their_data_only(kind: str, curve: str | None, encoding: str) -> None:
    private, public = pair(kind, curve)
    how = {"hash": "sha256", "encoding": encoding}
    signature = ok("sign", key=private, data=b64(b"m"), **how)["data"]
    assert ok("verify", key=public, data=b64(b"m"), signature=signature, **how) == {"valid": True}
    assert ok("verify", key=public, data=b64(b"n"), signature=signature, **how) == {"valid": False}


@pytest.mark.parametrize(("kind", "curve"), [("rsa", None), *EC, *OKP, ("x25519", None), ("x448", None)])
def test_keys_survive_every_form(kind: str, curve: str | None) -> None:
    private, public = pair(kind, curve)
    for form, type_ in (("pem", "pkcs8"), ("der", "pkcs8"), ("jwk", None)):
        data = ok("key.export", key=private, format=form, **({"type": type_} if type_ else {}))["data"]
        assert ok("key.import", key={"format": form, "data": data})["der"] == private["data"]
    for form in ("pem", "der", "jwk"):
        data = ok("key.export", key=public, format=form, type="spki")["data"]
        again = ok("key.import", key={"format": form, "type": "spki", "data": data}, private=False)
        assert again["der"] == public["data"]
    assert ok("key.import", key=private, private=False)["der"] == public["data"]


@pytest.mark.parametrize("padding", ["oaep", "pkcs1"])
def test_rsa_encryption_comes_back(padding: str) -> None:
    private, public = pair("rsa")
    sealed = ok("encrypt", key=public, data=b64(b"secret"), padding=padding, hash="sha256")["data"]
    assert unb64(ok("decrypt", key=private, data=sealed, padding=padding, hash="sha256")["data"]) == b"secret"


def test_encrypted_keys_need_their_passphrase() -> None:
    private, _ = pair("rsa")
    pem = ok("key.export", key=private, format="pem", type="pkcs8", passphrase=b64(b"right"))["data"]
    assert refused("key.import", key={"format": "pem", "data": pem})["code"] == "ERR_MISSING_PASSPHRASE"
    wrong = refused("key.import", key={"format": "pem", "data": pem, "passphrase": b64(b"wrong")})
    assert wrong["code"] == "ERR_OSSL_BAD_DECRYPT"
    right = ok("key.import", key={"format": "pem", "data": pem, "passphrase": b64(b"right")})
    assert right["der"] == private["data"]


def encrypted_key(iterations: int) -> bytes:
    """PKCS #8 with PBES2, PBKDF2 and AES-256-CBC; what it holds is of no matter."""

    def element(tag: int, *parts: bytes) -> bytes:
        content = b"".join(parts)
        size = len(content)
        return bytes([tag, size]) + content if size < 128 else bytes([tag, 0x81, size]) + content

    def oid(text: str) -> bytes:
        return element(6, bytes.fromhex(text))

    rounds = element(2, iterations.to_bytes(5, "big").lstrip(b"\0"))
    prf = element(0x30, oid("2a864886f70d0209"), element(5))
    derivation = element(0x30, oid("2a864886f70d01050c"), element(0x30, element(4, bytes(8)), rounds, prf))
    cipher = element(0x30, oid("60864801650304012a"), element(4, bytes(16)))
    scheme = element(0x30, oid("2a864886f70d01050d"), element(0x30, derivation, cipher))
    return element(0x30, scheme, element(4, bytes(48)))


def test_an_encrypted_key_cannot_ask_for_endless_derivation() -> None:
    def answer(iterations: int) -> dict[str, Any]:
        key = {**der(b64(encrypted_key(iterations))), "passphrase": b64(b"p")}
        return refused("key.import", key=key)

    assert answer(1000)["code"] == "ERR_OSSL_BAD_DECRYPT"  # read, and not the right passphrase
    assert "rounds" in answer(2**31 - 1)["message"]


@pytest.mark.parametrize(
    ("operation", "arguments"),
    [
        ("pbkdf2", {"hash": "sha512", "iterations": caps.MAX_PBKDF2_WORK + 1, "length": 64}),
        ("pbkdf2", {"hash": "sha512", "iterations": caps.MAX_PBKDF2_WORK // 4 + 1, "length": 65}),
        ("pbkdf2", {"hash": "sha3-256", "iterations": caps.MAX_PBKDF2_WORK // 4 + 1, "length": 32}),
        ("scrypt", {"cost": 2**20, "blockSize": 8, "parallelization": 1, "length": 32}),
        ("scrypt", {"cost": 2**14, "blockSize": 8, "parallelization": 100, "length": 32}),
    ],
)
def test_costly_derivations_are_refused(operation: str, arguments: dict[str, Any]) -> None:
    error = refused(operation, password=b64(b"p"), salt=b64(b"s"), **arguments)
    assert error["name"] == "RangeError"


def test_rsa_keys_are_made_up_to_the_cap() -> None:
    error = refused("key.generate", type="rsa", modulusLength=caps.MAX_RSA_BITS + 1)
    assert str(caps.MAX_RSA_BITS) in error["message"]


def test_an_exponent_of_three_goes_with_keys_up_to_its_cap() -> None:
    most = caps.MAX_RSA_SMALL_EXPONENT_BITS
    made = ok("key.generate", type="rsa", modulusLength=most, publicExponent=3)
    assert made["public"]["details"] == {"modulusLength": most, "publicExponent": "3"}
    error = refused("key.generate", type="rsa", modulusLength=most + 1, publicExponent=3)
    assert (error["name"], str(most) in error["message"]) == ("RangeError", True)


def test_slow_work_ends_at_the_deadline() -> None:
    arguments = {"hash": "sha512", "iterations": caps.MAX_PBKDF2_WORK // 2, "length": 64}
    text = json.dumps({**arguments, "password": b64(b"p"), "salt": b64(b"s")})
    answer = json.loads(compute("pbkdf2", text, time.monotonic() + 0.1))
    assert "time ran out" in answer["error"]["message"]


def test_an_rsa_key_whose_numbers_do_not_fit_is_refused() -> None:
    private, _ = pair("rsa")
    fields = ok("key.export", key=private, format="jwk")["data"]
    for name in ("d", "p", "q", "dp", "dq", "qi"):
        changed = {**fields, name: fields["e"]}
        assert "error" in call("key.import", key={"format": "jwk", "data": changed})


def test_a_public_key_does_not_sign() -> None:
    _, public = pair("rsa")
    as_jwk = ok("key.export", key=public, format="jwk")["data"]
    key = {"format": "jwk", "data": as_jwk}
    error = refused("sign", key=key, data=b64(b"m"), hash="sha256")
    assert error["code"] == "ERR_CRYPTO_INVALID_KEY_OBJECT_TYPE"


def test_changed_tags_and_paddings_are_noticed() -> None:
    base = {"key": b64(bytes(32)), "iv": b64(bytes(12)), "aad": b64(b"aad")}
    sealed = ok("cipher", mode="gcm", encrypt=True, data=b64(b"text"), final=True, **base)
    opened = {"mode": "gcm", "encrypt": False, "final": True, "data": sealed["data"]}
    assert unb64(ok("cipher", tag=sealed["tag"], **opened, **base)["data"]) == b"text"
    assert "authenticate" in refused("cipher", tag=b64(bytes(16)), **opened, **base)["message"]
    assert "error" in call("cipher", **opened, **base)


ARGUMENT_NAMES = [
    "key", "publicKey", "data", "signature", "hash", "padding", "salt", "saltLength", "encoding", "format",
    "type", "curve", "passphrase", "mode", "iv", "encrypt", "final", "tag", "aad", "iterations", "length",
    "cost", "blockSize", "parallelization", "password", "info", "pem", "der", "kty", "n", "e", "d", "p", "q",
    "crv", "x", "y", "private", "modulusLength", "left", "right", "wrap",
]  # fmt: skip
WORDS = [
    "pem", "der", "jwk", "raw", "rsa", "ec", "ed25519", "pkcs1", "pss", "oaep", "sha256", "md5", "none", "cbc",
    "gcm", "ctr", "RSA", "EC", "OKP", "P-256", "AAAA", "MAA=", "", "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----",
]  # fmt: skip
LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**40), 2**40), st.floats(allow_nan=False), st.text(max_size=8),
    st.sampled_from(WORDS), st.binary(max_size=40).map(b64),
)  # fmt: skip
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(ARGUMENT_NAMES), inner, max_size=6)
    ),
    max_leaves=12,
)
OBJECTS = st.dictionaries(st.sampled_from(ARGUMENT_NAMES), VALUES, max_size=10)


@examples(400)
@given(st.sampled_from(sorted(OPERATIONS)), OBJECTS)
def test_hostile_arguments_meet_typed_errors(operation: str, arguments: dict[str, Any]) -> None:
    answer = call(operation, **arguments)
    assert set(answer) in ({"ok"}, {"error"})
    if "error" in answer:
        assert answer["error"]["name"] in ("Error", "TypeError", "RangeError")
        assert answer["error"].get("code") != "ERR_CRYPTO_OPERATION_FAILED", answer


@examples(200)
@given(st.text(max_size=30), st.text(max_size=60))
def test_hostile_text_meets_typed_errors(operation: str, arguments: str) -> None:
    assert "error" in json.loads(compute(operation, arguments, time.monotonic() + 5))


@examples(100)
@given(st.integers(0, 1000), st.binary(min_size=1, max_size=4))
def test_damaged_keys_and_certificates_meet_typed_errors(at: int, change: bytes) -> None:
    private, _ = pair("rsa")
    data = bytearray(unb64(private["data"]))
    data[at : at + len(change)] = change
    answer = call("key.import", key=der(b64(bytes(data))))
    assert answer.get("error", {}).get("code") != "ERR_CRYPTO_OPERATION_FAILED"


def test_too_large_arguments_are_refused_and_the_largest_taken() -> None:
    def answer(size: int) -> dict[str, Any]:
        text = '{"hash":"sha256","data":"' + "A" * (size - 27) + '"}'
        assert len(text) == size
        found: dict[str, Any] = json.loads(compute("digest", text, time.monotonic() + 5))
        return found

    assert answer(caps.MAX_COMPUTE_BYTES + 1)["error"]["name"] == "RangeError"
    assert "size" not in json.dumps(answer(caps.MAX_COMPUTE_BYTES))


def test_the_journal_holds_random_answers_and_no_keys() -> None:
    port = live()
    private, public = pair("rsa")
    arguments = {"key": private, "data": b64(b"m"), "hash": "sha256", "padding": "pss"}
    signature = json.loads(port.compute("sign", json.dumps(arguments)))["ok"]["data"]
    check = {**arguments, "key": public, "signature": signature}
    assert json.loads(port.compute("verify", json.dumps(check))) == {"ok": {"valid": True}}
    entries = port.journal.entries
    assert [entry.operation for entry in entries] == ["compute", "compute"]
    assert private["data"] not in port.journal.to_json()
    assert port.host_calls == {"compute": 2}


def test_a_replay_gives_the_recorded_answer_and_computes_the_rest() -> None:
    from sandbox.port.replay import ReplayPort

    port = live()
    private, public = pair("ec", "P-256")
    text = json.dumps({"key": private, "data": b64(b"m"), "hash": "sha256"})
    answer = port.compute("sign", text)
    port.end()
    replay = ReplayPort(port.journal)
    replay.begin(time.monotonic() + 5)
    assert replay.compute("sign", text) == answer
    check = {
        "key": public,
        "data": b64(b"m"),
        "hash": "sha256",
        "signature": json.loads(answer)["ok"]["data"],
    }
    assert json.loads(replay.compute("verify", json.dumps(check))) == {"ok": {"valid": True}}
    replay.end()
    assert replay.divergence is None


def test_a_replay_notices_another_computation() -> None:
    from sandbox.port.replay import ReplayPort

    port = live()
    private, _ = pair("ec", "P-256")
    port.compute("sign", json.dumps({"key": private, "data": b64(b"m"), "hash": "sha256"}))
    port.end()
    replay = ReplayPort(port.journal)
    replay.begin(time.monotonic() + 5)
    replay.compute("sign", json.dumps({"key": private, "data": b64(b"other"), "hash": "sha256"}))
    assert replay.divergence is not None
