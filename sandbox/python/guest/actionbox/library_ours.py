"""The modules of Actions that are not in Python's standard library, or are another thing here."""

import http
import sys
from typing import Any

from . import console, errors, web
from .jwt import algorithms, api, client, encoding, exceptions, jwk, jws
from .modules import FACADES, facade

_METHODS = "request get post put patch delete head options".split()
_ERRORS = "ApiError ApiTypeError ApiValueError FetchError FetchTimeoutError HTTPStatusError OutputError"


def declare() -> None:
    """Add to `modules.FACADES`."""
    _http()
    extra = {"fetch": web.fetch, "http": FACADES["http"], "console": console.Console()}
    facade("actionbox", errors, _ERRORS, **extra)
    _jwt()
    streams = {"stdout": console.Stream("log"), "stderr": console.Stream("warn")}
    facade("sys", sys, _SYS, platform="actionbox", **streams)


_SYS = """byteorder float_info getrecursionlimit getsizeof hash_info hexversion implementation int_info intern
    maxsize maxunicode version version_info"""
"""What tells of the interpreter and changes nothing."""


def _http() -> None:
    made = web.Http()
    calls = {name: getattr(made, name) for name in _METHODS}
    facade("http", http, "HTTPStatus HTTPMethod", Response=web.Response, **calls)


_ALGORITHMS = """Algorithm NoneAlgorithm HMACAlgorithm RSAAlgorithm RSAPSSAlgorithm ECAlgorithm OKPAlgorithm
    get_default_algorithms"""


def _jwt() -> None:
    usual = api.PyJWT()
    members: dict[str, Any] = {name: getattr(usual, name) for name in ("encode", "decode", "decode_complete")}
    members |= {name: getattr(exceptions, name) for name in exceptions.NAMES.split()}
    members |= {
        "PyJWT": api.PyJWT,
        "PyJWS": jws.PyJWS,
        "PyJWK": jwk.PyJWK,
        "PyJWKSet": jwk.PyJWKSet,
        "PyJWKClient": client.PyJWKClient,
        "get_unverified_header": jws.PyJWS().get_unverified_header,
        "get_algorithm_by_name": algorithms.get_algorithm_by_name,
    }
    facade("jwt", None, "", **members)
    facade("jwt.exceptions", exceptions, exceptions.NAMES)
    facade("jwt.algorithms", algorithms, _ALGORITHMS)
    facade("jwt.api_jwk", jwk, "PyJWK PyJWKSet")
    facade("jwt.jwks_client", client, "PyJWKClient")
    utils = {"base64url_encode": encoding.encoded, "base64url_decode": encoding.lenient}
    facade("jwt.utils", None, "", **utils)
