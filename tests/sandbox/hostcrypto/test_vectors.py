"""Known answers from the RFCs."""

from __future__ import annotations

import pytest

from tests.sandbox.hostcrypto.calls import b64, jwk, ok, unb64


def from_url(text: str) -> bytes:
    return unb64(text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4))


ED25519 = jwk(
    kty="OKP",
    crv="Ed25519",
    d="nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
    x="11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
)
ES256 = {
    "kty": "EC",
    "crv": "P-256",
    "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
}


def test_ed25519_signs_as_rfc_8037_says() -> None:
    message = b"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc"
    expected = "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
    assert unb64(ok("sign", key=ED25519, data=b64(message))["data"]) == from_url(expected)


def test_es256_verifies_the_signature_of_rfc_7515() -> None:
    message = (
        b"eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb2"
        b"90Ijp0cnVlfQ"
    )
    signature = from_url(
        "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
    )
    arguments = {"key": jwk(**ES256), "hash": "sha256", "encoding": "ieee-p1363"}
    assert ok("verify", data=b64(message), signature=b64(signature), **arguments) == {"valid": True}
    assert ok("verify", data=b64(message + b"x"), signature=b64(signature), **arguments) == {"valid": False}


@pytest.mark.parametrize(
    ("hash_", "key", "data", "expected"),
    [
        (
            "sha256",
            b"\x0b" * 20,
            b"Hi There",
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
        ),
        (
            "sha224",
            b"Jefe",
            b"what do ya want for nothing?",
            "a30e01098bc6dbbf45690f3a7e9e6d0f8bbea2a39e6148008fd05e44",
        ),
        (
            "sha384",
            b"\xaa" * 131,
            b"Test Using Larger Than Block-Size Key - Hash Key First",
            "4ece084485813e9088d2c63a041bc5b44f9ef1012a2b588f3cd11f05033ac4c60c2ef6ab4030fe8296248df163f44952",
        ),
    ],
)
def test_hmac_of_rfc_4231(hash_: str, key: bytes, data: bytes, expected: str) -> None:
    assert unb64(ok("digest", hash=hash_, key=b64(key), data=b64(data))["data"]).hex() == expected


def test_pbkdf2_of_rfc_6070() -> None:
    made = ok("pbkdf2", hash="sha1", password=b64(b"password"), salt=b64(b"salt"), iterations=4096, length=20)
    assert unb64(made["data"]).hex() == "4b007901b765489abead49d926f721d065a429c1"


def test_scrypt_of_rfc_7914() -> None:
    made = ok(
        "scrypt",
        password=b64(b"password"),
        salt=b64(b"NaCl"),
        cost=1024,
        blockSize=8,
        parallelization=16,
        length=64,
    )
    assert (
        unb64(made["data"])
        .hex()
        .startswith("fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162")
    )


def test_hkdf_of_rfc_5869() -> None:
    made = ok(
        "hkdf",
        hash="sha256",
        key=b64(b"\x0b" * 22),
        salt=b64(bytes(range(13))),
        info=b64(bytes(range(0xF0, 0xFA))),
        length=42,
    )
    assert unb64(made["data"]).hex() == (
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
    )


def test_key_wrap_of_rfc_3394() -> None:
    kek, key = bytes(range(16)), bytes.fromhex("00112233445566778899aabbccddeeff")
    wrapped = ok("keywrap", key=b64(kek), data=b64(key), wrap=True)["data"]
    assert unb64(wrapped).hex() == "1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5"
    assert unb64(ok("keywrap", key=b64(kek), data=wrapped, wrap=False)["data"]) == key


def test_cbc_of_rfc_3602() -> None:
    made = ok(
        "cipher",
        mode="cbc",
        encrypt=True,
        key=b64(bytes.fromhex("06a9214036b8a15b512e03d534120006")),
        iv=b64(bytes.fromhex("3dafba429d9eb430b422da802c9fac41")),
        data=b64(b"Single block msg"),
        padding=False,
        final=True,
    )
    assert unb64(made["data"]).hex() == "e353779c1079aeb82708942dbe77181a"


def test_gcm_of_the_standard() -> None:
    made = ok(
        "cipher",
        mode="gcm",
        encrypt=True,
        key=b64(bytes(16)),
        iv=b64(bytes(12)),
        data=b64(bytes(16)),
        final=True,
    )
    assert unb64(made["data"]).hex() == "0388dace60b6a392f328c2b971b2fe78"
    assert unb64(made["tag"]).hex() == "ab6e47d42cec13bdf53a67b21257bddf"


def test_both_sides_of_x25519_agree() -> None:
    one = {"format": "raw", "type": "x25519", "private": True, "data": b64(bytes(range(32)))}
    other = {"format": "raw", "type": "x25519", "private": True, "data": b64(bytes(range(32, 64)))}
    assert ok("agree", key=one, publicKey=other) == ok("agree", key=other, publicKey=one)
