"""Errors of the HTTP library and the operating system, each translated once into an egress rule."""

from __future__ import annotations

import asyncio
import ssl
from typing import Final

import aiohttp

from sandbox.egress.http.connect import RefusedAddressError
from sandbox.egress.http.systemnames import system_name
from sandbox.egress.model import EgressError

_RULES: Final[tuple[tuple[type[BaseException], str, str], ...]] = (
    (aiohttp.ClientConnectorCertificateError, "tls", "The certificate of {host} could not be verified."),
    (aiohttp.ServerFingerprintMismatch, "tls", "The certificate of {host} could not be verified."),
    (aiohttp.ClientSSLError, "tls", "No TLS connection to {host} could be made."),
    (ssl.SSLError, "tls", "The TLS connection to {host} broke."),
    (aiohttp.ClientConnectorDNSError, "dns", "The host name {host} could not be resolved."),
    (asyncio.TimeoutError, "timeout", "The request to {host} took too long."),
    (aiohttp.ClientConnectorError, "connect", "No connection to {host} could be made."),
    (aiohttp.InvalidURL, "url", "The URL is not valid."),
    (aiohttp.ClientPayloadError, "protocol", "The response of {host} ended early or is not valid HTTP."),
    (aiohttp.ClientResponseError, "protocol", "The response of {host} is not valid HTTP."),
    (aiohttp.ClientConnectionError, "connect", "The connection to {host} broke before the response."),
    (aiohttp.ClientError, "protocol", "The exchange with {host} failed."),
    (OSError, "connect", "The connection to {host} broke."),
    (ValueError, "protocol", "The exchange with {host} is not valid HTTP."),
)


def translate(error: BaseException, host: str) -> EgressError | None:
    """The refusal that `error` stands for; None when it is none of the network's."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, EgressError):
            return cause
        if isinstance(cause, RefusedAddressError):
            return cause.reason
        cause = cause.__cause__
    for kind, rule, message in _RULES:
        if isinstance(error, kind):
            return EgressError(rule, message.format(host=host), system_name(error))
    return None
