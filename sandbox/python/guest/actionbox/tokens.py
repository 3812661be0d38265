"""PyJWT itself, from the installed package: on our `cryptography`, and with requests through the host."""

import sys
import time
import types
import urllib
from typing import Any

from . import web
from .errors import FetchError
from .modules import FACADES, facade

_ABSENT = ("http.client", "ssl", "urllib.error", "urllib.request")
"""Modules of the network, which PyJWT imports for requests of its own."""


class _Absent(types.ModuleType):
    """A module that is imported and not used: each of its names is a class without members."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {})


def declare() -> None:
    """Add `jwt` to `modules.FACADES`."""
    jwt = _load()
    exceptions = jwt.exceptions
    errors = [name for name, value in vars(exceptions).items() if isinstance(value, type)]
    extra = {name: getattr(exceptions, name) for name in errors}
    facade("jwt", jwt, _NAMES, **extra)
    facade("jwt.exceptions", exceptions, " ".join(errors))
    facade("jwt.algorithms", jwt.algorithms, _ALGORITHMS)
    facade("jwt.api_jwk", jwt.api_jwk, "PyJWK PyJWKSet")
    facade("jwt.jwks_client", jwt.jwks_client, "PyJWKClient")
    facade("jwt.utils", jwt.utils, "base64url_encode base64url_decode")


_NAMES = """encode decode decode_complete get_unverified_header get_algorithm_by_name InsecureKeyLengthWarning
    PyJWT PyJWS PyJWK PyJWKSet PyJWKClient"""
_ALGORITHMS = """Algorithm NoneAlgorithm HMACAlgorithm RSAAlgorithm RSAPSSAlgorithm ECAlgorithm OKPAlgorithm
    get_default_algorithms"""


def _load() -> Any:
    """Import PyJWT over stand-ins, which nothing else gets to see."""
    stand_ins = _stand_ins()
    before = {name: sys.modules.get(name) for name in stand_ins}
    sys.modules.update(stand_ins)
    urllib.request = stand_ins["urllib.request"]  # read while PyJWT's classes are made
    import jwt

    del urllib.request
    for name, module in before.items():
        if module is None:
            del sys.modules[name]
        else:
            sys.modules[name] = module
    jwt.PyJWKClient.fetch_data = _fetch_data  # type: ignore[assignment,method-assign]
    return jwt


def _stand_ins() -> dict[str, Any]:
    made: dict[str, Any] = {name: _Absent(name) for name in _ABSENT}
    made |= {name: module for name, module in FACADES.items() if name.partition(".")[0] == "cryptography"}
    made["cryptography.x509"] = types.SimpleNamespace(load_der_x509_certificate=_whole_sequence)
    made["cryptography.hazmat.backends"] = types.SimpleNamespace(default_backend=object)
    return made


def _whole_sequence(data: bytes) -> None:
    """Raise ValueError for what is no certificate: one begins as a long SEQUENCE that fills all of the data.

    PyJWT asks only to refuse a certificate as a shared secret.
    """
    start = 2 + max(0, data[1] - 0x80) if len(data) >= 0x80 else 0
    if data[:1] != b"\x30" or len(data) != start + int.from_bytes(data[2:start]):
        raise ValueError("not a certificate")


def _fetch_data(client: Any) -> Any:
    """`PyJWKClient.fetch_data` through the host, as any request of an Action.

    Raises:
        PyJWKClientConnectionError: the request failed, or its status is not 2xx.
        PyJWKClientError: the answer is no JSON object.
    """
    from jwt import PyJWKClientConnectionError, PyJWKClientError

    if client.ssl_context is not None:
        raise PyJWKClientError("ssl_context cannot be set: certificates are always verified by the host")
    try:
        answer = web.Http().get(client.uri, headers=client.headers, timeout=client.timeout, redirect="manual")
        problem = "" if answer.ok else f"HTTP Error {answer.status}: {answer.status_text}"
    except FetchError as error:
        problem = str(error)
    if problem:
        raise PyJWKClientConnectionError(f'Fail to fetch data from the url, err: "{problem}"')
    try:
        found = answer.json()
    except ValueError:
        found = None
    client._last_successful_fetch = time.monotonic()
    return client._as_jwk_set_payload(found)
