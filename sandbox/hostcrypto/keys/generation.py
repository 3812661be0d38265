"""New keys, and X.509 certificates read."""

from __future__ import annotations

from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from sandbox.core.caps import MAX_COMPUTE_KEY_BYTES, MAX_RSA_BITS, MAX_RSA_SMALL_EXPONENT_BITS, MIN_RSA_BITS
from sandbox.hostcrypto.arguments import Arguments, base64_text
from sandbox.hostcrypto.errors import CryptoError, invalid_argument, out_of_range
from sandbox.hostcrypto.keys.curves import curve_of
from sandbox.hostcrypto.keys.encoding import OKP, describe

_MIN_NEW_RSA_BITS = 1024


def generate(arguments: Arguments) -> dict[str, Any]:
    """Operation `key.generate`: {type, modulusLength?, publicExponent?, curve?} -> {private, public}, each
    as `key.import` gives it."""
    kind = arguments.choice("type", ("rsa", "ec", *OKP))
    if kind == "rsa":
        private: Any = _new_rsa(arguments)
    elif kind == "ec":
        private = ec.generate_private_key(curve_of(arguments.text("curve")))
    else:
        private = OKP[kind][0].generate()
    return {"private": describe(private), "public": describe(private.public_key())}


def _new_rsa(arguments: Arguments) -> rsa.RSAPrivateKey:
    bits = arguments.whole("modulusLength", max(_MIN_NEW_RSA_BITS, MIN_RSA_BITS), MAX_RSA_BITS)
    exponent = arguments.whole("publicExponent", 3, 2**31 - 1) if arguments.has("publicExponent") else 65537
    if exponent not in (3, 65537):
        raise invalid_argument("'publicExponent' must be 65537 or 3")
    if exponent == 3 and bits > MAX_RSA_SMALL_EXPONENT_BITS:
        raise out_of_range(f"'publicExponent' must be 65537 for more than {MAX_RSA_SMALL_EXPONENT_BITS} bits")
    return rsa.generate_private_key(exponent, bits)


def certificate(arguments: Arguments) -> dict[str, Any]:
    """Operation `certificate`: {pem} or {der} -> what an X509Certificate shows, and its public key."""
    try:
        if arguments.has("pem"):
            found = x509.load_pem_x509_certificate(arguments.text("pem", MAX_COMPUTE_KEY_BYTES).encode())
        else:
            found = x509.load_der_x509_certificate(arguments.octets("der", MAX_COMPUTE_KEY_BYTES))
        return _describe(found)
    except (ValueError, x509.InvalidVersion, x509.DuplicateExtension):
        raise CryptoError(
            "error:0688010A:asn1 encoding routines::nested asn1 error", "ERR_OSSL_ASN1_NESTED_ASN1_ERROR"
        ) from None


def _describe(found: x509.Certificate) -> dict[str, Any]:
    names, is_ca = _extensions(found)
    key: Any = found.public_key()
    return {
        "subject": _name(found.subject),
        "issuer": _name(found.issuer),
        "subjectAltName": names,
        "ca": is_ca,
        "serialNumber": _serial(found.serial_number),
        "validFrom": found.not_valid_before_utc.timestamp() * 1000,
        "validTo": found.not_valid_after_utc.timestamp() * 1000,
        "fingerprint": found.fingerprint(hashes.SHA1()).hex(),  # noqa: S303 - Node shows it
        "fingerprint256": found.fingerprint(hashes.SHA256()).hex(),
        "fingerprint512": found.fingerprint(hashes.SHA512()).hex(),
        "der": base64_text(found.public_bytes(Encoding.DER)),
        "pem": found.public_bytes(Encoding.PEM).decode("ascii"),
        "publicKey": describe(key),
    }


def _serial(number: int) -> str:
    text = f"{number:X}"
    return "0" + text if len(text) % 2 else text


_SHORT = {"commonName": "CN", "organizationName": "O", "organizationalUnitName": "OU", "countryName": "C"}
_SHORT |= {"localityName": "L", "stateOrProvinceName": "ST", "domainComponent": "DC"}


def _name(name: x509.Name) -> str:
    """One part a line, as Node shows it."""
    parts = []
    for attribute in name:
        label = attribute.oid._name
        value = attribute.value if isinstance(attribute.value, str) else attribute.value.hex()
        parts.append(f"{_SHORT.get(label, label)}={value}")
    return "\n".join(parts)


def _extensions(found: x509.Certificate) -> tuple[str | None, bool]:
    """Alternative names as Node shows them, and whether this is an authority."""
    names: str | None = None
    is_ca = False
    for extension in found.extensions:
        value = extension.value
        if isinstance(value, x509.SubjectAlternativeName):
            names = ", ".join(_alternative(name) for name in value)
        elif isinstance(value, x509.BasicConstraints):
            is_ca = value.ca
    return names, is_ca


def _alternative(name: x509.GeneralName) -> str:
    if isinstance(name, x509.IPAddress):
        return f"IP Address:{name.value}"
    kinds = {x509.DNSName: "DNS", x509.UniformResourceIdentifier: "URI", x509.RFC822Name: "email"}
    return f"{kinds.get(type(name), 'othername')}:{name.value}"
