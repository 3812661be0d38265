"""Signed messages in compact form (RFC 7515), detached ones too (RFC 7797)."""

import json
from collections.abc import Sequence
from typing import Any

from actionbox.console import emit

from .algorithms import ALGORITHMS, Algorithm, get_algorithm_by_name
from .encoding import encoded, strict
from .exceptions import (
    DecodeError,
    InvalidAlgorithmError,
    InvalidKeyError,
    InvalidSignatureError,
    InvalidTokenError,
)
from .jwk import PyJWK

UNSET: Any = object()
_warned: set[str] = set()


class PyJWS:
    """Makes and reads signed messages.

    Args:
        algorithms: names of those that may be used at all.
    """

    header_typ = "JWT"

    def __init__(
        self, algorithms: Sequence[str] | None = None, options: dict[str, Any] | None = None
    ) -> None:
        self._allowed = frozenset(ALGORITHMS if algorithms is None else algorithms)
        self.options = {"verify_signature": True, "enforce_minimum_key_length": False} | (options or {})

    def get_algorithms(self) -> list[str]:
        return [name for name in ALGORITHMS if name in self._allowed]

    def get_algorithm_by_name(self, alg_name: str) -> Algorithm:
        if alg_name not in self._allowed:
            raise NotImplementedError("Algorithm not supported")
        return get_algorithm_by_name(alg_name)

    def encode(
        self,
        payload: bytes,
        key: Any,
        algorithm: str | None = UNSET,
        headers: dict[str, Any] | None = None,
        json_encoder: type[json.JSONEncoder] | None = None,
        is_payload_detached: bool = False,
        sort_headers: bool = True,
    ) -> str:
        """The message. A header `alg` outranks `algorithm`; a `PyJWK` brings its own.

        Raises:
            InvalidKeyError: the key does not fit.
            NotImplementedError: there is no such algorithm.
        """
        name = _chosen(algorithm, key, headers)
        detached = is_payload_detached or bool(headers and headers.get("b64") is False)
        header = _header(self.header_typ, name, headers, detached=detached)
        text = json.dumps(header, separators=(",", ":"), cls=json_encoder, sort_keys=sort_headers)
        first = encoded(text.encode())
        message = first + b"." + (payload if detached else encoded(payload))
        signer = self.get_algorithm_by_name(name)
        ready = signer.prepare_key(key.key if isinstance(key, PyJWK) else key)
        _check_length(signer, ready, self.options)
        signature = encoded(signer.sign(message, ready))
        return ((first + b"." if detached else message) + b"." + signature).decode()

    def decode_complete(
        self,
        jwt: str | bytes,
        key: Any = "",
        algorithms: Sequence[str] | None = None,
        options: dict[str, Any] | None = None,
        detached_payload: bytes | None = None,
    ) -> dict[str, Any]:
        """`{"payload", "header", "signature"}` of a message that `key` signed.

        Raises:
            InvalidTokenError: see its subclasses.
        """
        chosen = self.options | (options or {})
        if chosen["verify_signature"] and not algorithms and not isinstance(key, PyJWK):
            raise DecodeError(
                'It is required that you pass in a value for the "algorithms" argument when calling decode().'
            )
        payload, message, header, signature = _parts(jwt)
        _check_header(header)
        if header.get("b64", True) is False:
            payload = _detached(header, detached_payload)
            message = message.rpartition(b".")[0] + b"." + payload
        elif detached_payload is not None:
            raise DecodeError(
                'It is only valid to pass "detached_payload" when the protected header has "b64" set '
                "to false."
            )
        if chosen["verify_signature"]:
            self._verify(message, header, signature, key, algorithms, chosen)
        return {"payload": payload, "header": header, "signature": signature}

    def decode(self, *arguments: Any, **options: Any) -> bytes:
        """The payload of `decode_complete`."""
        payload: bytes = self.decode_complete(*arguments, **options)["payload"]
        return payload

    def get_unverified_header(self, jwt: str | bytes) -> dict[str, Any]:
        """The header, which anybody may have written."""
        header = _parts(jwt)[2]
        _check_header(header)
        return header

    def _verify(
        self,
        message: bytes,
        header: dict[str, Any],
        signature: bytes,
        key: Any,
        algorithms: Sequence[str] | None,
        options: dict[str, Any],
    ) -> None:
        if "alg" not in header:
            raise InvalidAlgorithmError("Algorithm not specified")
        name = header["alg"]
        allowed = [key.algorithm_name] if algorithms is None and isinstance(key, PyJWK) else algorithms or ()
        if not isinstance(name, str) or name not in allowed:
            raise InvalidAlgorithmError("The specified alg value is not allowed")
        if isinstance(key, PyJWK) and name != key.algorithm_name:
            raise InvalidAlgorithmError(
                f"Token algorithm {name!r} does not match the key's algorithm {key.algorithm_name!r}"
            )
        try:
            verifier = self.get_algorithm_by_name(name)
        except NotImplementedError:
            raise InvalidAlgorithmError("Algorithm not supported") from None
        ready = verifier.prepare_key(key.key if isinstance(key, PyJWK) else key)
        _check_length(verifier, ready, options)
        if not verifier.verify(message, ready, signature):
            raise InvalidSignatureError("Signature verification failed")


def _chosen(algorithm: str | None, key: Any, headers: dict[str, Any] | None) -> str:
    named: str | None = (headers or {}).get("alg")
    if named:
        return named
    if algorithm is UNSET or algorithm is None:
        if isinstance(key, PyJWK):
            return key.algorithm_name
        return "HS256" if algorithm is UNSET else "none"
    return algorithm


def _header(kind: str, name: str, more: dict[str, Any] | None, *, detached: bool) -> dict[str, Any]:
    header = {"typ": kind, "alg": name} | (more or {})
    _check_kid(header)
    if not header["typ"]:
        del header["typ"]
    header.pop("b64", None)
    if detached:
        listed = header.get("crit", [])
        if not isinstance(listed, list):
            raise InvalidTokenError("Invalid 'crit' header: must be a list")
        header["b64"] = False
        header["crit"] = listed if "b64" in listed else [*listed, "b64"]
    return header


def _check_length(algorithm: Algorithm, key: Any, options: dict[str, Any]) -> None:
    """A short key is worth one line in the log, or an error if so wished."""
    problem = algorithm.check_key_length(key)
    if problem and options.get("enforce_minimum_key_length"):
        raise InvalidKeyError(problem)
    if problem and problem not in _warned:
        _warned.add(problem)
        emit("warn", f"InsecureKeyLengthWarning: {problem}")


def _parts(jwt: Any) -> tuple[bytes, bytes, dict[str, Any], bytes]:
    """Payload, what is signed, header and signature."""
    given = jwt.encode() if isinstance(jwt, str) else jwt
    if not isinstance(given, bytes):
        raise DecodeError(f"Invalid token type. Token must be a {bytes}")
    message, dot, last = given.rpartition(b".")
    first, second_dot, middle = message.partition(b".")
    if not dot or not second_dot:
        raise DecodeError("Not enough segments")
    try:
        header = json.loads(strict(first, "header"))
    except (ValueError, RecursionError) as error:
        raise DecodeError(f"Invalid header string: {error}") from None
    if not isinstance(header, dict):
        raise DecodeError("Invalid header string: must be a json object")
    if header.get("b64", True) is False:
        if middle:
            raise DecodeError("Payload segment must be empty when 'b64' is false.")
        payload = b""
    else:
        payload = strict(middle, "payload")
    return payload, message, header, strict(last, "crypto")


def _check_header(header: dict[str, Any]) -> None:
    _check_kid(header)
    if "crit" not in header:
        return
    listed = header["crit"]
    if not isinstance(listed, list) or not listed:
        raise InvalidTokenError("Invalid 'crit' header: must be a non-empty list")
    for extension in listed:
        if not isinstance(extension, str):
            raise InvalidTokenError("Invalid 'crit' header: values must be strings")
        if extension != "b64":
            raise InvalidTokenError(f"Unsupported critical extension: {extension}")
        if extension not in header:
            raise InvalidTokenError(f"Critical extension '{extension}' is missing from headers")


def _check_kid(header: dict[str, Any]) -> None:
    if not isinstance(header.get("kid", ""), str):
        raise InvalidTokenError("Key ID header parameter must be a string")


def _detached(header: dict[str, Any], payload: bytes | None) -> bytes:
    listed = header.get("crit") or []
    if not isinstance(listed, list) or "b64" not in listed:
        raise InvalidTokenError("The 'b64' header parameter requires 'b64' to be listed in 'crit'.")
    if payload is None:
        raise DecodeError(
            'It is required that you pass in a value for the "detached_payload" argument to decode a message '
            "having the b64 header set to false."
        )
    return payload
