"""The registered claims of RFC 7519, section 4.1: what makes a token with them invalid."""

import time
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from .exceptions import (
    DecodeError,
    ExpiredSignatureError,
    ImmatureSignatureError,
    InvalidAudienceError,
    InvalidIssuedAtError,
    InvalidIssuerError,
    InvalidJTIError,
    InvalidSubjectError,
    MissingRequiredClaimError,
)

_Payload = dict[str, Any]


def check(
    payload: _Payload,
    options: dict[str, Any],
    *,
    audience: Any = None,
    issuer: Any = None,
    subject: str | None = None,
    leeway: float | timedelta = 0,
) -> None:
    """Raise the error of the first claim that is wrong, in the order in which PyJWT looks at them."""
    if audience is not None and not isinstance(audience, (str, Iterable)):
        raise TypeError("audience must be a string, iterable or None")
    seconds = leeway.total_seconds() if isinstance(leeway, timedelta) else leeway
    for claim in options["require"]:
        if payload.get(claim) is None:
            raise MissingRequiredClaimError(claim)
    _check_times(payload, options, seconds)
    if options["verify_iss"] and issuer is not None:
        _check_issuer(payload, issuer)
    if options["verify_aud"]:
        _check_audience(payload, audience, strict=bool(options.get("strict_aud")))
    if options["verify_sub"] and "sub" in payload:
        _check_subject(payload["sub"], subject)
    if options["verify_jti"] and not isinstance(payload.get("jti", ""), str):
        raise InvalidJTIError("JWT ID must be a string")


def _check_times(payload: _Payload, options: dict[str, Any], leeway: float) -> None:
    now = time.time()
    if "iat" in payload and options["verify_iat"]:
        issued = _number(payload["iat"], InvalidIssuedAtError, "Issued At claim (iat)")
        if issued > now + leeway:
            raise ImmatureSignatureError("The token is not yet valid (iat)")
    if "nbf" in payload and options["verify_nbf"]:
        begins = _number(payload["nbf"], DecodeError, "Not Before claim (nbf)")
        if begins > now + leeway:
            raise ImmatureSignatureError("The token is not yet valid (nbf)")
    if "exp" in payload and options["verify_exp"]:
        ends = _number(payload["exp"], DecodeError, "Expiration Time claim (exp)")
        if ends <= now - leeway:
            raise ExpiredSignatureError("Signature has expired")


def _number(value: Any, error: type[Exception], what: str) -> int:
    try:
        return int(value)
    except (ValueError, TypeError, OverflowError):
        raise error(f"{what} must be an integer.") from None


def _check_issuer(payload: _Payload, issuer: Any) -> None:
    if "iss" not in payload:
        raise MissingRequiredClaimError("iss")
    found = payload["iss"]
    if not isinstance(found, str):
        raise InvalidIssuerError("Payload Issuer (iss) must be a string")
    try:
        fits = found == issuer if isinstance(issuer, str) else found in issuer
    except TypeError:
        raise InvalidIssuerError('Issuer param must be "str" or "Container[str]"') from None
    if not fits:
        raise InvalidIssuerError("Invalid issuer")


def _check_audience(payload: _Payload, audience: Any, *, strict: bool) -> None:
    found = payload.get("aud")
    if audience is None:
        if found:
            raise InvalidAudienceError("Invalid audience")
        return
    if not found:
        raise MissingRequiredClaimError("aud")
    if strict:
        _check_one_audience(found, audience)
        return
    given = [found] if isinstance(found, str) else found
    if not isinstance(given, list) or not all(isinstance(item, str) for item in given):
        raise InvalidAudienceError("Invalid claim format in token")
    if all(item not in given for item in ([audience] if isinstance(audience, str) else audience)):
        raise InvalidAudienceError("Audience doesn't match")


def _check_one_audience(found: Any, audience: Any) -> None:
    if not isinstance(audience, str):
        raise InvalidAudienceError("Invalid audience (strict)")
    if not isinstance(found, str):
        raise InvalidAudienceError("Invalid claim format in token (strict)")
    if found != audience:
        raise InvalidAudienceError("Audience doesn't match (strict)")


def _check_subject(found: Any, subject: str | None) -> None:
    if not isinstance(found, str):
        raise InvalidSubjectError("Subject must be a string")
    if subject is not None and found != subject:
        raise InvalidSubjectError("Invalid subject")
