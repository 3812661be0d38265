"""`PyJWKClient`: the signing keys of an issuer, fetched through the host as any request."""

import time
import urllib.parse
from typing import Any

from actionbox import web
from actionbox.errors import FetchError

from .api import PyJWT
from .exceptions import PyJWKClientConnectionError, PyJWKClientError
from .jwk import PyJWK, PyJWKSet


class PyJWKClient:
    """Fetches a key set and finds keys in it. What it keeps, it keeps for one execution.

    Args:
        uri: of the key set; http or https.
        lifespan: seconds that a fetched set is used.
        timeout: seconds of one request.
        cooldown_duration: least seconds between two fetches for a key that is not in the set.

    Raises:
        PyJWKClientError: an argument makes no sense.
    """

    def __init__(
        self,
        uri: str,
        cache_keys: bool = False,  # noqa: ARG002 - keys live as long as their set here
        max_cached_keys: int = 16,  # noqa: ARG002
        cache_jwk_set: bool = True,
        lifespan: float = 300,
        headers: dict[str, Any] | None = None,
        timeout: float = 30,
        ssl_context: object = None,
        cooldown_duration: float = 30,
    ) -> None:
        scheme = urllib.parse.urlsplit(uri).scheme.lower()
        if scheme not in ("http", "https"):
            raise PyJWKClientError(
                f"Invalid JWKS URI scheme {scheme!r}: only 'http' and 'https' are supported."
            )
        if cache_jwk_set and lifespan <= 0:
            raise PyJWKClientError(f'Lifespan must be greater than 0, the input is "{lifespan}"')
        if not 0 <= cooldown_duration < float("inf"):
            raise PyJWKClientError(
                f'Cooldown duration must be a number of seconds, the input is "{cooldown_duration}"'
            )
        if ssl_context is not None:
            raise PyJWKClientError("ssl_context cannot be set: certificates are always verified by the host")
        self.uri = uri
        self.headers = headers or {}
        self.timeout = timeout
        self.cooldown_duration = cooldown_duration
        self._lifespan = lifespan if cache_jwk_set else 0.0
        self._kept: PyJWKSet | None = None
        self._fetched_at = float("-inf")

    def fetch_data(self) -> dict[str, Any]:
        """The key set as the server answers it now.

        Raises:
            PyJWKClientConnectionError: the request failed, or its status is not 2xx.
            PyJWKClientError: the answer is no JSON object.
        """
        try:
            answer = web.Http().get(self.uri, headers=self.headers, timeout=self.timeout, redirect="manual")
        except FetchError as error:
            raise PyJWKClientConnectionError(f'Fail to fetch data from the url, err: "{error}"') from error
        if not answer.ok:
            problem = f"HTTP Error {answer.status}: {answer.status_text}"
            raise PyJWKClientConnectionError(f'Fail to fetch data from the url, err: "{problem}"')
        try:
            found = answer.json()
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise PyJWKClientError("The JWKS endpoint did not return a JSON object")
        return found

    def get_jwk_set(self, refresh: bool = False) -> PyJWKSet:
        """The key set, from the last fetch while that is fresh."""
        fresh = time.monotonic() - self._fetched_at < self._lifespan
        if self._kept is None or refresh or not fresh:
            self._kept = PyJWKSet.from_dict(self.fetch_data())
            self._fetched_at = time.monotonic()
        return self._kept

    def get_signing_keys(self, refresh: bool = False) -> list[PyJWK]:
        """Keys that have an id and may sign. Raises PyJWKClientError when there is none."""
        found = [
            key
            for key in self.get_jwk_set(refresh).keys
            if key.public_key_use in ("sig", None) and key.key_id
        ]
        if not found:
            raise PyJWKClientError("The JWKS endpoint did not contain any signing keys")
        return found

    def get_signing_key(self, kid: str) -> PyJWK:
        """The key named `kid`; an unknown name is looked for in a fresh set, too.

        Raises:
            PyJWKClientError: there is none.
        """
        found = self.match_kid(self.get_signing_keys(), kid)
        resting = self._lifespan and time.monotonic() - self._fetched_at < self.cooldown_duration
        if found is None and not resting:
            found = self.match_kid(self.get_signing_keys(refresh=True), kid)
        if found is None:
            raise PyJWKClientError(f'Unable to find a signing key that matches: "{kid}"')
        return found

    def get_signing_key_from_jwt(self, token: str | bytes) -> PyJWK:
        """The key that the token's header names."""
        header = PyJWT().decode_complete(token, options={"verify_signature": False})["header"]
        return self.get_signing_key(header.get("kid"))

    @staticmethod
    def match_kid(signing_keys: list[PyJWK], kid: str) -> PyJWK | None:
        return next((key for key in signing_keys if key.key_id == kid), None)
