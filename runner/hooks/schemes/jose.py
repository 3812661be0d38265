"""Signed and encrypted bodies: JWS and JWE in compact form.

Nothing in a header chooses an algorithm beyond a list of ours, or brings a key (RFC 8725). A header that asks
for more (`crit`, `zip`, `jku`, `x5u`, `jwk`) is refused.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Final

from joserfc import jwe, jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey, import_key
from joserfc.util import urlsafe_b64decode
from pydantic import Field, model_validator

from runner.hooks.model import Defaulted, KeySource, RefusedError, unsigned
from runner.http.json_body import parse_body
from runner.model.caps import MAX_RSA_CLIENT_KEY_BITS, MIN_RSA_CLIENT_KEY_BITS

_SIGNATURES: Final[Mapping[str, frozenset[str]]] = {
    "RSA": frozenset({"RS256", "RS384", "RS512", "PS256"}),
    "EC": frozenset({"ES256", "ES384", "ES512"}),
    "OKP": frozenset({"EdDSA", "Ed25519"}),
}
_SEALS: Final[Mapping[str, str]] = {"RSA": "RSA-OAEP-256", "EC": "ECDH-ES+A256KW"}
_CONTENT: Final = "A256GCM"
_ASKS_MORE: Final = frozenset({"crit", "zip", "jku", "x5u", "x5c", "jwk", "b64"})
_MAX_KEYS: Final = 32
_MAX_HEADER: Final = 8_192
_ERRORS: Final = (JoseError, ValueError, TypeError, KeyError, AttributeError, RecursionError)


class PublicKeys(Defaulted):
    """Settings of a provider that signs bodies.

    Attributes:
        jwks_url: where its keys are.
        jwks: those keys themselves, where the service cannot ask for them.
    """

    jwks_url: Annotated[str, Field(max_length=2_048)] = ""
    jwks: Annotated[list[dict[str, Any]], Field(max_length=_MAX_KEYS)] = Field(default_factory=list)

    @model_validator(mode="after")
    def _are_public(self) -> PublicKeys:
        if self.jwks_url and not self.jwks_url.startswith(("https://", "http://")):
            raise ValueError("jwks_url must be an https or http address")
        if len(usable_keys(self.jwks)) < len(self.jwks) or any("d" in key for key in self.jwks):
            raise ValueError("jwks has a key that is not public, too weak, or of a kind that is not taken")
        return self


def usable_keys(listed: Iterable[Any]) -> list[Key]:
    """The public keys of a JWK set that signatures may be checked with; others are passed over."""
    found: list[Key] = []
    for item in list(listed)[:_MAX_KEYS]:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of weak keys, which are passed over
                key = import_key(item)
        except _ERRORS:
            continue
        if isinstance(key, RSAKey):
            bits = key.public_key.key_size
            if not MIN_RSA_CLIENT_KEY_BITS <= bits <= MAX_RSA_CLIENT_KEY_BITS:
                continue
        if isinstance(key, RSAKey | ECKey | OKPKey):
            found.append(key)
    return found


async def check_signed(
    text: bytes, tenant: str, source: KeySource, *, url: str, listed: Sequence[Mapping[str, Any]]
) -> bytes:
    """The payload of a JWS that a key of `listed`, or of the set at `url`, signed. Raises `RefusedError`."""
    header = compact_header(text, parts=3)
    found = verified(text, header, usable_keys(listed)) if listed else None
    if found is None and url:
        found = verified(text, header, usable_keys(await source.keys(tenant, url)))
        if found is None:
            found = verified(text, header, usable_keys(await source.keys(tenant, url, fresh=True)))
    if found is None:
        raise unsigned()
    return found


def open_sealed(text: bytes, keys: Sequence[str]) -> bytes:
    """The content of a JWE that one of `keys` (private, PEM or JWK) opens. Raises `RefusedError`."""
    header = compact_header(text, parts=5)
    for value in keys:
        try:
            key = private_key(value)
            algorithm = _SEALS[key.key_type]
            if header.get("alg") != algorithm or header.get("enc") != _CONTENT:
                continue
            opened = jwe.decrypt_compact(text, key, algorithms=[algorithm, _CONTENT]).plaintext
        except _ERRORS:
            continue
        if opened is not None:
            return opened
    raise unsigned()


def private_key(value: str) -> RSAKey | ECKey:
    """A private key as PEM or JWK. Raises `ValueError`: it is none that opens a JWE."""
    for kind in (RSAKey, ECKey):
        try:
            given = parse_body(value.encode()) if value.lstrip().startswith("{") else value
            key = kind.import_key(given)
        except _ERRORS:
            continue
        if key.is_private:
            return key
    raise ValueError("it is no private RSA or EC key as PEM or JWK")


def compact_header(text: bytes, *, parts: int) -> dict[str, Any]:
    """The header of a JWS (3 parts) or JWE (5), unproven. Raises `RefusedError` for what is not of this form,
    or asks for what is not done here."""
    head, dot, _ = text.partition(b".")
    if not dot or text.count(b".") != parts - 1 or len(head) > _MAX_HEADER:
        raise RefusedError(400, "The body is not in the form that this hook is configured for.")
    try:
        header = parse_body(urlsafe_b64decode(head))
        asks = _ASKS_MORE.intersection(header)
    except _ERRORS:
        raise RefusedError(400, "The body is not in the form that this hook is configured for.") from None
    if not isinstance(header, dict) or asks:
        raise RefusedError(400, "The header of the body asks for what is not done here.")
    return header


def verified(text: bytes, header: Mapping[str, Any], keys: Sequence[Key]) -> bytes | None:
    """The payload of a JWS with this `header` that one of `keys` signed; None when none did."""
    algorithm, wanted = header.get("alg"), header.get("kid")
    for key in keys:
        if algorithm not in _SIGNATURES.get(key.key_type, ()):
            continue
        if isinstance(wanted, str) and key.kid is not None and key.kid != wanted:
            continue
        try:
            return jws.deserialize_compact(text, key, algorithms=[str(algorithm)]).payload
        except _ERRORS:
            continue
    return None
