"""Tokens: `encode`, `decode` and their kin."""

import json
from calendar import timegm
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from . import claims
from .exceptions import DecodeError
from .jws import UNSET, PyJWS

_CHECKS = ("exp", "nbf", "iat", "aud", "iss", "sub", "jti")
_DEFAULTS: dict[str, Any] = {
    "verify_signature": True,
    **{f"verify_{name}": True for name in _CHECKS},
    "require": [],
    "strict_aud": False,
    "enforce_minimum_key_length": False,
}


class PyJWT:
    """Makes and reads tokens; `options` are the defaults of its `decode`."""

    def __init__(self, options: dict[str, Any] | None = None) -> None:
        self.options = _DEFAULTS | _completed(options)
        self._jws = PyJWS(options=_of_signature(self.options))

    def encode(
        self,
        payload: dict[str, Any],
        key: Any,
        algorithm: str | None = UNSET,
        headers: dict[str, Any] | None = None,
        json_encoder: type[json.JSONEncoder] | None = None,
        sort_headers: bool = True,
    ) -> str:
        """A token. `exp`, `iat` and `nbf` may be datetimes. Without `algorithm`: HS256, or the key's own.

        Raises:
            TypeError: the payload is no dict, or `iss` no string.
            InvalidKeyError: the key does not fit the algorithm.
            NotImplementedError: there is no such algorithm.
        """
        if not isinstance(payload, dict):
            raise TypeError("Expecting a dict object, as JWT only supports JSON objects as payloads.")
        claimed = dict(payload)
        for name in ("exp", "iat", "nbf"):
            if isinstance(claimed.get(name), datetime):
                claimed[name] = timegm(claimed[name].utctimetuple())
        if not isinstance(claimed.get("iss", ""), str):
            raise TypeError("Issuer (iss) must be a string.")
        text = json.dumps(claimed, separators=(",", ":"), cls=json_encoder).encode()
        return self._jws.encode(text, key, algorithm, headers, json_encoder, sort_headers=sort_headers)

    def decode_complete(
        self,
        jwt: str | bytes,
        key: Any = "",
        algorithms: Sequence[str] | None = None,
        options: dict[str, Any] | None = None,
        verify: bool | None = None,
        detached_payload: bytes | None = None,
        audience: Any = None,
        issuer: Any = None,
        subject: str | None = None,
        leeway: float | timedelta = 0,
    ) -> dict[str, Any]:
        """`{"payload", "header", "signature"}` of a valid token.

        Args:
            algorithms: those that are accepted; may be left out for a `PyJWK`.
            options: `verify_signature`, `verify_exp`, ..., `require`, `strict_aud`.
            verify: means nothing, as in PyJWT 2.
            leeway: seconds by which clocks may differ.

        Raises:
            InvalidTokenError: see its subclasses.
        """
        del verify
        chosen = self.options | _completed(options)
        found = self._jws.decode_complete(
            jwt,
            key,
            algorithms,
            _of_signature(chosen if options else self.options),
            detached_payload=detached_payload,
        )
        try:
            payload = json.loads(found["payload"])
        except (ValueError, RecursionError) as error:
            raise DecodeError(f"Invalid payload string: {error}") from None
        if not isinstance(payload, dict):
            raise DecodeError("Invalid payload string: must be a json object")
        claims.check(payload, chosen, audience=audience, issuer=issuer, subject=subject, leeway=leeway)
        return found | {"payload": payload}

    def decode(
        self,
        jwt: str | bytes,
        key: Any = "",
        algorithms: Sequence[str] | None = None,
        options: dict[str, Any] | None = None,
        **checks: Any,
    ) -> dict[str, Any]:
        """The claims of a valid token; `checks` are the other arguments of `decode_complete`."""
        payload: dict[str, Any] = self.decode_complete(jwt, key, algorithms, options, **checks)["payload"]
        return payload


def _completed(options: dict[str, Any] | None) -> dict[str, Any]:
    """Without its signature nothing of a token is verified, unless asked for."""
    given = dict(options or {})
    if not given.get("verify_signature", True):
        given = {f"verify_{name}": False for name in _CHECKS} | given
    return given


def _of_signature(options: dict[str, Any]) -> dict[str, Any]:
    return {name: options[name] for name in ("verify_signature", "enforce_minimum_key_length")}
