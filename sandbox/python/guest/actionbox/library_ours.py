"""The modules of Actions that are not in Python's standard library, or are another thing here."""

import http
import sys

from . import compression, console, errors, tokens, web
from .crypto import asymmetric, common, derive, dss, schemes, serialization, symmetric
from .modules import FACADES, facade

_METHODS = "request get post put patch delete head options".split()
_ERRORS = (
    "ApiError ApiTypeError ApiValueError FetchArgumentError FetchError FetchTimeoutError HTTPStatusError "
    "OutputError"
)


def declare() -> None:
    """Add to `modules.FACADES`."""
    _http()
    extra = {"fetch": web.fetch, "http": FACADES["http"], "console": console.Console()}
    facade("actionbox", errors, _ERRORS, **extra)
    _cryptography()
    tokens.declare()
    facade("zlib", compression, _ZLIB)
    packed = {"compress": compression.gzip_compress, "decompress": compression.gzip_decompress}
    facade("gzip", compression, "BadGzipFile", **packed)
    streams = {"stdout": console.Stream("log"), "stderr": console.Stream("warn")}
    facade("sys", sys, _SYS, platform="actionbox", **streams)


_ZLIB = """compress decompress crc32 adler32 error DEFLATED MAX_WBITS Z_NO_COMPRESSION Z_BEST_SPEED
    Z_BEST_COMPRESSION Z_DEFAULT_COMPRESSION"""
_SYS = """byteorder float_info getrecursionlimit getsizeof hash_info hexversion implementation int_info intern
    maxsize maxunicode version version_info"""
"""What tells of the interpreter and changes nothing."""


def _http() -> None:
    made = web.Http()
    calls = {name: getattr(made, name) for name in _METHODS}
    facade("http", http, "HTTPStatus HTTPMethod", Response=web.Response, **calls)


_HAZMAT = "cryptography.hazmat.primitives"
_SERIALIZATION = """load_pem_private_key load_pem_public_key load_der_private_key load_der_public_key
    load_ssh_public_key Encoding PrivateFormat PublicFormat NoEncryption BestAvailableEncryption"""
_RSA = """RSAPrivateKey RSAPublicKey RSAPrivateNumbers RSAPublicNumbers rsa_crt_dmp1 rsa_crt_dmq1 rsa_crt_iqmp
    rsa_recover_prime_factors"""
_EC = """EllipticCurvePrivateKey EllipticCurvePublicKey EllipticCurvePrivateNumbers
    EllipticCurvePublicNumbers"""


def _cryptography() -> None:
    errors_ = "InvalidSignature InvalidTag InvalidKey UnsupportedAlgorithm"
    facade("cryptography.exceptions", common, errors_)
    fernet = {"Fernet": symmetric.Fernet, "MultiFernet": symmetric.MultiFernet}
    facade("cryptography.fernet", common, "InvalidToken", **fernet)
    facade("cryptography.hazmat", None, "")
    facade(_HAZMAT, None, "")
    facade(f"{_HAZMAT}.hashes", common, "Hash HashAlgorithm", **common.HASHES)
    facade(f"{_HAZMAT}.ciphers", None, "")
    facade(f"{_HAZMAT}.ciphers.aead", symmetric, "AESGCM ChaCha20Poly1305")
    facade(f"{_HAZMAT}.serialization", serialization, _SERIALIZATION)
    facade(f"{_HAZMAT}.asymmetric", None, "")
    facade(f"{_HAZMAT}.asymmetric.padding", schemes, "PKCS1v15 PSS OAEP MGF1")
    generate = {"generate_private_key": asymmetric.generate_rsa}
    facade(f"{_HAZMAT}.asymmetric.rsa", asymmetric, _RSA, **generate)
    members = {"generate_private_key": asymmetric.generate_ec, "ECDH": object, "ECDSA": schemes.ECDSA}
    members |= {"EllipticCurve": schemes.EllipticCurve} | schemes.CURVES
    facade(f"{_HAZMAT}.asymmetric.ec", asymmetric, _EC, **members)
    facade(f"{_HAZMAT}.asymmetric.utils", dss, "encode_dss_signature decode_dss_signature")
    facade(f"{_HAZMAT}.asymmetric.ed25519", asymmetric, "Ed25519PrivateKey Ed25519PublicKey")
    facade(f"{_HAZMAT}.asymmetric.ed448", asymmetric, "Ed448PrivateKey Ed448PublicKey")
    facade(f"{_HAZMAT}.kdf", None, "")
    facade(f"{_HAZMAT}.kdf.hkdf", derive, "HKDF")
    facade(f"{_HAZMAT}.kdf.pbkdf2", derive, "PBKDF2HMAC")
    facade(f"{_HAZMAT}.kdf.scrypt", derive, "Scrypt")
