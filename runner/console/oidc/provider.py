"""The OpenID provider: its configuration, its keys, and what it says of who signed in (OpenID Connect Core).

The operator chose it, so it is asked directly and may be on a private network. What it answers is checked all
the same: whose token, for whom, when, and for which of our own requests.
"""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote_plus, urlencode, urlsplit

import urllib3

from runner.hooks.model import RefusedError
from runner.hooks.schemes.jose import compact_header, usable_keys, verified
from runner.http.json_body import BodyError, parse_body

_DISCOVERY: Final = "/.well-known/openid-configuration"
_SECONDS: Final = 5.0
_MAX_BYTES: Final = 256 * 1024
_KEPT_SECONDS: Final = 3_600.0
_AGAIN_SECONDS: Final = 30.0
"""Not sooner are keys asked for again because one was missing."""
_LEEWAY: Final = 30.0
"""Seconds that the provider's clock may differ."""
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_ENDPOINTS: Final = ("authorization_endpoint", "token_endpoint", "jwks_uri")


class SignInError(Exception):
    """Nobody is signed in. The message says why, in words for whoever tried."""


class ProviderError(SignInError):
    """The provider cannot be reached, or does not do what it must."""


@dataclass(frozen=True, slots=True)
class Request:
    """One attempt to sign in, which only the browser that began it can end."""

    state: str
    nonce: str
    verifier: str


class OpenIdProvider:
    """Safe between threads; its methods block."""

    def __init__(
        self,
        issuer: str,
        client_id: str,
        client_secret: str,
        *,
        scope: str,
        redirect: str,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`redirect`: address of ours that the provider sends browsers back to; registered there."""
        self._issuer = issuer
        self._client_id = client_id
        self._secret = client_secret
        self._scope = scope
        self._redirect = redirect
        self._clock = clock
        self._monotonic = monotonic
        self._http = urllib3.PoolManager(retries=False, timeout=_SECONDS)
        self._lock = threading.Lock()
        self._kept: dict[str, tuple[Mapping[str, Any], float]] = {}

    def address(self, request: Request) -> str:
        """Where the browser goes to sign in. Raises `ProviderError`."""
        digest = hashlib.sha256(request.verifier.encode()).digest()
        query = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": self._redirect,
            "scope": self._scope,
            "state": request.state,
            "nonce": request.nonce,
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        endpoint = str(self._configuration()["authorization_endpoint"])
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}"

    def claims(self, request: Request, code: str) -> Mapping[str, Any]:
        """Claims of the ID token that the provider gives for `code`. Raises `SignInError`."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._redirect,
            "code_verifier": request.verifier,
        }
        configuration = self._configuration()
        ways = configuration.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        if not self._secret:
            form["client_id"] = self._client_id
        elif isinstance(ways, list) and "client_secret_basic" not in ways:
            form |= {"client_id": self._client_id, "client_secret": self._secret}
        else:
            pair = f"{quote_plus(self._client_id)}:{quote_plus(self._secret)}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        status, answer = self._ask(
            "POST", str(configuration["token_endpoint"]), urlencode(form).encode(), headers
        )
        token = answer.get("id_token")
        if status != 200 or not isinstance(token, str):
            raise SignInError("The identity provider did not confirm the sign-in. Try again.")
        return self._checked(token, request)

    def _checked(self, token: str, request: Request) -> Mapping[str, Any]:
        claims = self._verified(token)
        audience = claims.get("aud")
        listed = audience if isinstance(audience, list) else [audience]
        now = self._clock()
        times = [claims.get(name, now) for name in ("iat", "nbf")] + [claims.get("exp")]
        if (
            claims.get("iss") != self._issuer
            or self._client_id not in listed
            or (len(listed) > 1 and claims.get("azp") != self._client_id)
            or claims.get("azp", self._client_id) != self._client_id
            or claims.get("nonce") != request.nonce
            or not isinstance(claims.get("sub"), str)
            or not all(isinstance(at, int | float) and not isinstance(at, bool) for at in times)
            or max(times[:2]) > now + _LEEWAY
            or now >= times[2] + _LEEWAY
        ):
            raise SignInError("The identity provider's token is not for this sign-in. Try again.")
        return claims

    def _verified(self, token: str) -> Mapping[str, Any]:
        text = token.encode("ascii", "replace")
        try:
            header = compact_header(text, parts=3)
            for fresh in (False, True):
                keys = usable_keys(self._document("jwks_uri", fresh=fresh).get("keys") or ())
                payload = verified(text, header, keys)
                if payload is not None:
                    claims = parse_body(payload)
                    if isinstance(claims, dict):
                        return claims
        except (RefusedError, BodyError, TypeError):
            pass
        raise SignInError("The identity provider's token is not signed by one of its keys.")

    def _configuration(self) -> Mapping[str, Any]:
        found = self._document("", fresh=False)
        if found.get("issuer") != self._issuer:
            raise ProviderError("The identity provider is not the one that this service is set up for.")
        for name in _ENDPOINTS:
            if not is_safe(found.get(name)):
                raise ProviderError(f"The identity provider has no {name} that can be used.")
        return found

    def _document(self, name: str, *, fresh: bool) -> Mapping[str, Any]:
        """The provider's configuration (""), or what it names. Kept; `fresh`: unless that is new."""
        with self._lock:
            found = self._kept.get(name)
        age = float("inf") if found is None else self._monotonic() - found[1]
        if found is not None and age < (_AGAIN_SECONDS if fresh else _KEPT_SECONDS):
            return found[0]
        url = str(self._configuration()[name]) if name else self._issuer.rstrip("/") + _DISCOVERY
        status, value = self._ask("GET", url, None, {"Accept": "application/json"})
        if status != 200:
            raise ProviderError("The identity provider cannot be asked now. Try again later.")
        with self._lock:
            self._kept[name] = (value, self._monotonic())
        return value

    def _ask(
        self, method: str, url: str, body: bytes | None, headers: Mapping[str, str]
    ) -> tuple[int, Mapping[str, Any]]:
        try:
            answer = self._http.request(
                method, url, body=body, headers=headers, redirect=False, preload_content=False
            )
            try:
                raw = answer.read(_MAX_BYTES + 1)
            finally:
                answer.release_conn()
                answer.close()
            value = json.loads(raw) if len(raw) <= _MAX_BYTES else None
        except (urllib3.exceptions.HTTPError, ValueError, RecursionError):
            raise ProviderError("The identity provider cannot be asked now. Try again later.") from None
        if not isinstance(value, dict):
            raise ProviderError("The identity provider's answer cannot be used.")
        return answer.status, value


def is_safe(url: object) -> bool:
    """Whether it is an https address, or an http one of this machine."""
    if not isinstance(url, str):
        return False
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return bool(parts.hostname) and (
        parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    )
