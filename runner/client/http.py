"""HTTP to a service: signing in, requests with retries, pages and event streams, as JSON values."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlencode

import urllib3

from runner.model.errors import RunnerError

MANAGEMENT: Final = "/api/v2"
RUNTIME: Final = "/runtime/v1"
_PER_PAGE: Final = 100
_TRIES: Final = 5
_MAX_WAIT: Final = 30.0
"""Seconds; a longer `Retry-After` is an answer rather than a pause."""
_EARLY: Final = 30.0
"""Seconds before its end that a token is asked for anew."""
_RETRIED: Final = frozenset({429, 502, 503, 504})
_SIGN_IN: Final = "/oauth/token"


class ServiceError(RunnerError):
    """The service refused, or cannot be reached (`unreachable`).

    Attributes:
        status: HTTP status; 0 when there was no answer.
    """

    def __init__(self, code: str, message: str, *, status: int = 0, next_step: str = "") -> None:
        super().__init__(code, message, next_step=next_step)
        self.status: Final = status


@dataclass(frozen=True, slots=True)
class Connection:
    """Address of a service, and how to sign in to it.

    Attributes:
        url: scheme, host and port.
        token: a bearer token; or
        client_id, client_secret: for `POST /oauth/token`; each API gets a token of its own.
        ca_file: PEM file of certificate authorities to trust in place of the system's.
        read_seconds: longest wait for an answer.
    """

    url: str
    token: str | None = field(default=None, repr=False)
    client_id: str | None = None
    client_secret: str | None = field(default=None, repr=False)
    ca_file: str | None = None
    read_seconds: float = 120.0


@dataclass(frozen=True, slots=True)
class ApiResponse:
    """A 2xx answer: its JSON (None when it has no body) and its entity tag, "" without one."""

    status: int
    value: Any
    etag: str = ""


@dataclass(slots=True)
class _Token:
    value: str
    until: float


class Api:
    """One service as one tenant. Safe to use from several threads."""

    def __init__(self, connection: Connection, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._connection = connection
        self._sleep = sleep
        self._url = connection.url.rstrip("/")
        timeout = urllib3.Timeout(connect=10, read=connection.read_seconds)
        self._pool = urllib3.PoolManager(
            maxsize=32, retries=False, timeout=timeout, ca_certs=connection.ca_file
        )
        self._lock = threading.Lock()
        self._kept: dict[str, _Token] = {}

    def get(self, path: str, **query: str | int | bool) -> ApiResponse:
        return self.send("GET", path, query=query)

    def send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str | int | bool] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> ApiResponse:
        """One request, tried again while the service asks to wait. Raises `ServiceError`."""
        sent = {"authorization": f"Bearer {self.token(_plane_of(path))}", **(headers or {})}
        return self._patiently(method, path, query or {}, body, sent)

    def pages(self, path: str, items: str, **query: str | int | bool) -> list[Any]:
        """All items of a paged list: page after page until one is not full."""
        found: list[Any] = []
        page = 0
        while True:
            value = self.get(path, **query, page=page, per_page=_PER_PAGE).value
            batch = value.get(items, []) if isinstance(value, dict) else []
            found += batch
            if len(batch) < _PER_PAGE:
                return found
            page += 1

    def some(self, path: str, items: str, most: int, **query: str | int | bool) -> list[Any]:
        """Up to `most` items of a list whose pages may end early: on and on from the `next` of each."""
        value = self.get(path, **query, per_page=most).value
        found: list[Any] = list(value[items])
        while len(found) < most and "next" in value:
            value = self.get(path, **query, per_page=most - len(found), after=value["next"]).value
            found += value[items]
        return found

    def events(self, path: str, **query: str | int | bool) -> Iterator[Any]:
        """The JSON values of a server-sent event stream, until the service ends it."""
        token = self.token(_plane_of(path))
        headers = {"authorization": f"Bearer {token}", "accept": "text/event-stream"}
        response = self._request("GET", path, query, None, headers, stream=True)
        if response.status != 200:
            _answer(response)
        try:
            yield from read_events(response.stream(4096))
        except urllib3.exceptions.HTTPError:
            return
        finally:
            response.close()

    def text(self, path: str, most: int, **query: str) -> str:
        """The body of a 2xx answer, of at most `most` bytes. Raises `ServiceError`."""
        headers = {"authorization": f"Bearer {self.token(_plane_of(path))}"}
        response = self._request("GET", path, query, None, headers, stream=True)
        try:
            if not 200 <= response.status < 300:
                _answer(response)
            raw = response.read(most + 1)
            if len(raw) > most:
                raise ServiceError("too_large", f"the service's answer is larger than {most} bytes")
            return raw.decode("utf-8")
        except (urllib3.exceptions.HTTPError, UnicodeDecodeError) as error:
            raise ServiceError("unreachable", f"the answer of {self._url} broke off: {error}") from None
        finally:
            response.close()

    def token(self, plane: str = MANAGEMENT) -> str:
        """The bearer token that requests carry; asks for one when it has to. Raises `ServiceError`.

        Args:
            plane: path of the API that it is for, because the service gives no token for two.
        """
        if self._connection.token is not None:
            return self._connection.token
        with self._lock:
            kept = self._kept.get(plane)
            if kept is None or kept.until < time.monotonic():
                kept = self._kept[plane] = self._sign_in(plane)
            return kept.value

    def _sign_in(self, plane: str) -> _Token:
        form = {
            "grant_type": "client_credentials",
            "client_id": self._connection.client_id or "",
            "client_secret": self._connection.client_secret or "",
            "audience": f"{self._url}{plane}/",
        }
        value = self._patiently("POST", _SIGN_IN, {}, form, {}).value
        return _Token(str(value["access_token"]), time.monotonic() + float(value["expires_in"]) - _EARLY)

    def _patiently(
        self,
        method: str,
        path: str,
        query: Mapping[str, str | int | bool],
        body: Any,
        headers: Mapping[str, str],
    ) -> ApiResponse:
        for attempt in range(1, _TRIES + 1):
            response = self._request(method, path, query, body, headers)
            pause = _pause(response, attempt) if response.status in _RETRIED else None
            if pause is None or attempt == _TRIES:
                break
            self._sleep(pause)
        return _answer(response)

    def _request(
        self,
        method: str,
        path: str,
        query: Mapping[str, str | int | bool],
        body: Any,
        headers: Mapping[str, str],
        *,
        stream: bool = False,
    ) -> urllib3.BaseHTTPResponse:
        url = self._url + path
        if query:
            url += "?" + urlencode({name: _parameter(value) for name, value in query.items()})
        sent = dict(headers)
        data = None
        if body is not None:
            data = json.dumps(body).encode()
            sent["content-type"] = "application/json"
        try:
            return self._pool.request(
                method, url, body=data, headers=sent, redirect=False, preload_content=not stream
            )
        except urllib3.exceptions.SSLError as error:
            raise ServiceError(
                "unreachable",
                f"the certificate of {self._url} is not trusted: {_reason(error)}",
                next_step="Give the file of its certificate authority with --ca-file.",
            ) from None
        except urllib3.exceptions.HTTPError as error:
            raise ServiceError(
                "unreachable",
                f"{self._url} cannot be reached: {_reason(error)}",
                next_step="Check the address, and that the service runs.",
            ) from None


def read_events(chunks: Iterator[bytes]) -> Iterator[Any]:
    """The JSON in the `data` of each event of a `text/event-stream` body; what is no JSON is passed over."""
    data: list[str] = []
    rest = b""
    for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        for raw in lines:
            text = raw.decode("utf-8", "replace").rstrip("\r")
            if text.startswith("data:"):
                data.append(text[5:].removeprefix(" "))
            elif not text and data:
                joined, data = "\n".join(data), []
                try:
                    yield json.loads(joined)
                except (ValueError, RecursionError):
                    continue


def _plane_of(path: str) -> str:
    return RUNTIME if path.startswith(f"{RUNTIME}/") else MANAGEMENT


def _parameter(value: str | int | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _reason(error: Exception) -> str:
    inner = str(getattr(error, "reason", None) or error)
    return inner.rpartition(": ")[2] or inner


def _pause(response: urllib3.BaseHTTPResponse, attempt: int) -> float | None:
    """Seconds to wait before the next try; None when the answer is final."""
    after = response.headers.get("retry-after", "")
    seconds = float(after) if after.isdigit() else 0.5 * 2**attempt
    return seconds if seconds <= _MAX_WAIT else None


def _answer(response: urllib3.BaseHTTPResponse) -> ApiResponse:
    try:
        value = json.loads(response.data) if response.data else None
    except (ValueError, RecursionError):
        value = None
    if 200 <= response.status < 300:
        return ApiResponse(response.status, value, response.headers.get("etag", ""))
    facts = value if isinstance(value, dict) else {}
    message = facts.get("message") or facts.get("error_description") or response.reason or "no reason given"
    raise ServiceError(
        str(facts.get("errorCode") or facts.get("error") or "refused"),
        f"the service answered {response.status}: {message}",
        status=response.status,
        next_step=_HINTS_BY_CODE.get(str(facts.get("errorCode")), _HINTS.get(response.status, "")),
    )


_HINTS_BY_CODE: Final = {
    "would_lock_out": "See what happens to one with `actionbox replay EXECUTION --with FILE`; give --force "
    "REASON to deploy it all the same."
}
_HINTS: Final = {
    401: "Sign in again with `actionbox login`.",
    403: "Use a token with the scope that the message names.",
    412: "Somebody changed it meanwhile: look at the difference again, then repeat the command.",
}
