"""`import cryptography` in Python Actions: programs print the same under the real package."""

# ruff: noqa: E501 - programs of one line

from __future__ import annotations

import textwrap
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tests.sandbox.python.actions import Runner
from tests.sandbox.python.pyjwt import in_an_action, keys, same

NONCE = bytes(range(12))


@pytest.mark.parametrize(
    ("kind", "key"),
    [
        ("AESGCM", bytes(16)),
        ("AESGCM", bytes(24)),
        ("AESGCM", bytes(range(32))),
        ("ChaCha20Poly1305", bytes(range(32))),
    ],
)
def test_sealed_data(runner: Runner, kind: str, key: bytes) -> None:
    program = f"""
        from cryptography.hazmat.primitives.ciphers.aead import {kind}
        from cryptography.exceptions import InvalidTag
        box = {kind}(key)
        for extra in (None, b"", b"extra"):
            for data in (b"", b"x", bytes(100)):
                sealed = box.encrypt(nonce, data, extra)
                print(sealed.hex(), box.decrypt(nonce, sealed, extra) == data)
                for wrong in (sealed[:-1], sealed + b"x", bytes([sealed[0] ^ 1]) + sealed[1:], b"", b"short"):
                    try:
                        print(box.decrypt(nonce, wrong, extra))
                    except InvalidTag as error:
                        print(type(error).__name__)
                try:
                    box.decrypt(nonce, sealed, b"other")
                except InvalidTag:
                    print("other")
        for call in (lambda: {kind}(b"short"), lambda: box.encrypt(b"", b"x", None)):
            try:
                call()
            except ValueError as error:
                print("ValueError")
        for call in (lambda: {kind}("text"), lambda: box.encrypt(nonce, "text", None)):
            try:
                call()
            except TypeError:
                print("TypeError")
    """
    assert len(same(runner, program, key=key, nonce=NONCE)) > 60


def test_keys_are_made_by_the_host(runner: Runner) -> None:
    program = """
        from cryptography.fernet import Fernet
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
        print(len({AESGCM.generate_key(256), AESGCM.generate_key(bit_length=256), ChaCha20Poly1305.generate_key()}), len(Fernet.generate_key()))
    """
    assert in_an_action(runner, program) == ["3 44"]


def test_fernet(runner: Runner) -> None:
    key, old = Fernet.generate_key(), Fernet.generate_key()
    theirs = Fernet(key).encrypt_at_time(b"from there", 1_700_000_000)
    program = """
        from cryptography.fernet import Fernet, InvalidToken, MultiFernet
        box = Fernet(key)
        print(box.decrypt(theirs), box.decrypt(theirs.decode()), box.extract_timestamp(theirs))
        for call in (lambda: box.decrypt(theirs, ttl=60), lambda: box.decrypt(theirs[:-4]), lambda: box.decrypt(b"none"), lambda: Fernet(old).decrypt(theirs),
                     lambda: box.decrypt_at_time(theirs, 60, 1_700_000_100), lambda: box.decrypt_at_time(theirs, 60, 1_699_999_000)):
            try:
                print(call())
            except InvalidToken as error:
                print("InvalidToken", error)
        print(box.decrypt_at_time(theirs, 60, 1_700_000_050))
        both = MultiFernet([Fernet(old), box])
        print(both.decrypt(theirs), Fernet(old).extract_timestamp(both.rotate(theirs)))
        for wrong in (b"", b"AAAA", "x" * 44):
            try:
                Fernet(wrong)
            except ValueError as error:
                print("ValueError")
    """
    assert len(same(runner, program, key=key, old=old, theirs=theirs)) == 12
    ours = in_an_action(
        runner,
        "from cryptography.fernet import Fernet\nprint(Fernet(key).encrypt(b'from here').decode())",
        key=key,
    )[0]
    assert Fernet(key).decrypt(ours, ttl=60) == b"from here"
    with pytest.raises(InvalidToken):
        Fernet(old).decrypt(ours)


LOAD = """
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
    private = serialization.load_pem_private_key(pem.encode(), password=None)
    public = private.public_key()
"""


def signed(runner: Runner, expression: str, pem: str) -> bytes:
    return bytes.fromhex(in_an_action(runner, LOAD + f"\n    print(({expression}).hex())", pem=pem)[0])


def test_rsa(runner: Runner) -> None:
    pem = keys()["RSA"][0]
    program = (
        LOAD
        + """
    print(type(private).__name__, type(public).__name__, private.key_size, isinstance(private, rsa.RSAPrivateKey))
    signature = private.sign(b"data", padding.PKCS1v15(), hashes.SHA256())
    print(signature.hex())
    public.verify(signature, b"data", padding.PKCS1v15(), hashes.SHA256())
    for wrong in ((signature, b"other", hashes.SHA256()), (signature, b"data", hashes.SHA512()), (b"", b"data", hashes.SHA256())):
        try:
            public.verify(wrong[0], wrong[1], padding.PKCS1v15(), wrong[2])
        except InvalidSignature as error:
            print("InvalidSignature")
    print(public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode())
    print(private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption())[:31])
    print(private.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).hex())
    sealed = public.encrypt(b"secret", padding.OAEP(mgf=padding.MGF1(algorithm=hashes.SHA256()), algorithm=hashes.SHA256(), label=None))
    print(private.decrypt(sealed, padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)))
    """
    )
    assert len(same(runner, program, pem=pem)) > 8
    key: Any = serialization.load_pem_private_key(pem.encode(), None)
    for salt in (20, padding.PSS.MAX_LENGTH, padding.PSS.DIGEST_LENGTH):
        name = (
            salt
            if isinstance(salt, int)
            else f"padding.PSS.{'MAX' if salt is padding.PSS.MAX_LENGTH else 'DIGEST'}_LENGTH"
        )
        made = signed(
            runner,
            f"private.sign(b'm', padding.PSS(padding.MGF1(hashes.SHA256()), {name}), hashes.SHA256())",
            pem,
        )
        how = padding.PSS(padding.MGF1(hashes.SHA256()), salt)
        key.public_key().verify(made, b"m", how, hashes.SHA256())
        with pytest.raises(InvalidSignature):
            key.public_key().verify(made, b"n", how, hashes.SHA256())


def test_curves(runner: Runner) -> None:
    pem = keys()["ES256"][0]
    key: Any = serialization.load_pem_private_key(pem.encode(), None)
    made = signed(runner, "private.sign(b'm', ec.ECDSA(hashes.SHA384()))", pem)
    key.public_key().verify(made, b"m", ec.ECDSA(hashes.SHA384()))
    program = (
        LOAD
        + """
    public.verify(theirs, b"m", ec.ECDSA(hashes.SHA256()))
    try:
        public.verify(theirs, b"n", ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        print("InvalidSignature")
    other = ec.generate_private_key(ec.SECP256R1())
    print(private.exchange(ec.ECDH(), other.public_key()) == other.exchange(ec.ECDH(), public))
    """
    )
    assert same(runner, program, pem=pem, theirs=key.sign(b"m", ec.ECDSA(hashes.SHA256()))) == [
        "InvalidSignature",
        "True",
    ]


def test_numbers_of_keys(runner: Runner) -> None:
    program = (
        LOAD
        + """
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
    numbers = private.private_numbers()
    if isinstance(private, rsa.RSAPrivateKey):
        print(numbers.p, numbers.q, numbers.d, numbers.dmp1, numbers.dmq1, numbers.iqmp, public.public_numbers().n, public.public_numbers().e)
        print(rsa.rsa_crt_dmp1(numbers.d, numbers.p), rsa.rsa_crt_dmq1(numbers.d, numbers.q), rsa.rsa_crt_iqmp(numbers.p, numbers.q))
        again = rsa.RSAPrivateNumbers(p=numbers.p, q=numbers.q, d=numbers.d, dmp1=numbers.dmp1, dmq1=numbers.dmq1, iqmp=numbers.iqmp, public_numbers=rsa.RSAPublicNumbers(e=65537, n=numbers.public_numbers.n)).private_key()
        public.verify(again.sign(b"m", padding.PKCS1v15(), hashes.SHA256()), b"m", padding.PKCS1v15(), hashes.SHA256())
        try:
            rsa.RSAPublicNumbers(2, 15).public_key()
        except ValueError as error:
            print("ValueError")
    else:
        print(numbers.private_value, numbers.public_numbers.x, public.public_numbers().y, type(private.curve).__name__, public.key_size)
        again = ec.EllipticCurvePrivateNumbers(numbers.private_value, ec.EllipticCurvePublicNumbers(numbers.public_numbers.x, numbers.public_numbers.y, private.curve)).private_key()
        r, s = decode_dss_signature(again.sign(b"m", ec.ECDSA(hashes.SHA512())))
        public.public_numbers().public_key().verify(encode_dss_signature(r, s), b"m", ec.ECDSA(hashes.SHA512()))
        print(encode_dss_signature(1, 2**256 - 1).hex(), encode_dss_signature(2**520, 2**520 - 1).hex(), isinstance(private.curve, ec.EllipticCurve))
        for wrong in (b"", b"0", bytes.fromhex("300602010102"), bytes.fromhex("30060201010201020a"), bytes.fromhex("3005020101020102")):
            try:
                decode_dss_signature(wrong)
            except ValueError:
                print("ValueError")
        try:
            ec.EllipticCurvePublicNumbers(1, 1, ec.SECP256R1()).public_key()
        except ValueError:
            print("ValueError")
    """
    )
    for name in ("RSA", "ES256", "ES384", "ES512", "ES256K"):
        assert len(same(runner, program, pem=keys()[name][0])) >= 3


def test_hashes_in_parts(runner: Runner) -> None:
    program = """
        from cryptography.hazmat.primitives import hashes
        for kind in (hashes.SHA256, hashes.SHA512, hashes.SHA3_384, hashes.SHA1):
            made = hashes.Hash(kind())
            made.update(b"a")
            made.update(b"b")
            print(kind.name, made.finalize().hex())
        try:
            hashes.Hash("sha256")
        except TypeError:
            print("TypeError")
    """
    assert len(same(runner, program)) == 5


def test_a_public_key_is_no_private_one_in_disguise(runner: Runner) -> None:
    private, public = keys()["RSA"]
    program = """
        from cryptography.hazmat.primitives import serialization
        for load, text in ((serialization.load_pem_public_key, private), (serialization.load_der_public_key, private), (serialization.load_der_private_key, public)):
            try:
                print(load(text.encode(), *((None,) if load is serialization.load_der_private_key else ())))
            except ValueError:
                print("ValueError")
    """
    assert same(runner, program, private=private, public=public) == ["ValueError"] * 3


def test_edwards_keys(runner: Runner) -> None:
    pem = keys()["EdDSA"][0]
    program = (
        LOAD
        + """
    print(private.sign(b"m").hex())
    public.verify(private.sign(b"m"), b"m")
    raw = public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    print(raw.hex())
    again = ed25519.Ed25519PublicKey.from_public_bytes(raw)
    try:
        again.verify(private.sign(b"m"), b"n")
    except InvalidSignature:
        print("InvalidSignature")
    own = ed25519.Ed25519PrivateKey.generate()
    own.public_key().verify(own.sign(b"x"), b"x")
    print(ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32)).sign(b"m").hex())
    """
    )
    assert len(same(runner, program, pem=pem)) == 4


def test_keys_that_cannot_be_read(runner: Runner) -> None:
    pem = keys()["RSA"][0]
    loaded: Any = serialization.load_pem_private_key(pem.encode(), None)
    locked = loaded.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"pass"),
    ).decode()
    program = """
        from cryptography.hazmat.primitives import serialization
        for text, password in ((locked, b"pass"), (locked, None), (locked, b"wrong"), ("none", None), (public, None)):
            try:
                print(serialization.load_pem_private_key(text.encode(), password).key_size)
            except (TypeError, ValueError) as error:
                print(type(error).__name__)
        try:
            serialization.load_pem_public_key(b"none")
        except ValueError:
            print("ValueError")
    """
    assert same(runner, program, locked=locked, public=keys()["RSA"][1]) == [
        "2048",
        "TypeError",
        "ValueError",
        "ValueError",
        "ValueError",
        "ValueError",
    ]


def test_derivation(runner: Runner) -> None:
    program = """
        from cryptography.exceptions import InvalidKey
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF
        from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC
        from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
        print(HKDF(algorithm=hashes.SHA256(), length=42, salt=b"salt", info=b"info").derive(b"input").hex())
        print(HKDF(hashes.SHA512(), 16, None, None).derive(b"input").hex())
        made = PBKDF2HMAC(algorithm=hashes.SHA256(), length=32, salt=b"salt", iterations=1000).derive(b"pass")
        print(made.hex(), Scrypt(salt=b"salt", length=32, n=2**10, r=8, p=1).derive(b"pass").hex())
        PBKDF2HMAC(hashes.SHA256(), 32, b"salt", 1000).verify(b"pass", made)
        try:
            PBKDF2HMAC(hashes.SHA256(), 32, b"salt", 1000).verify(b"other", made)
        except InvalidKey:
            print("InvalidKey")
    """
    assert len(same(runner, program)) == 4


def test_its_keys_sign_tokens(runner: Runner) -> None:
    program = (
        LOAD
        + "\n    import jwt\n    token = jwt.encode({'a': 1}, private, 'ES256')\n    print(jwt.decode(token, public, algorithms=['ES256']))"
    )
    assert same(runner, program, pem=keys()["ES256"][0]) == ["{'a': 1}"]


def test_replays_are_exact_and_keys_stay_out_of_the_journal(runner: Runner) -> None:
    body = textwrap.dedent(
        f"""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
        print(AESGCM(bytes.fromhex({bytes(range(32)).hex()!r})).encrypt(bytes(12), b"text", None).hex())
        """
    )
    result = runner.body(body)
    assert result.logs[0].text == AESGCM(bytes(range(32))).encrypt(bytes(12), b"text", None).hex()
    assert [entry.operation for entry in result.journal.entries] == ["log"]


@pytest.mark.parametrize(
    "name",
    ["cryptography.hazmat.backends", "cryptography.x509", "cryptography.hazmat.primitives.ciphers.modes"],
)
def test_what_is_not_there(runner: Runner, name: str) -> None:
    assert f"The module '{name}' is not available to Actions" in runner.refusal(f"import {name}").message
