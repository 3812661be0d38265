"""Node's names for errors of the network: the `code`, which programs branch on."""

from __future__ import annotations

import errno
import re
import socket
import ssl
from typing import Final

import aiohttp

_CERTIFICATES: Final = {
    2: "UNABLE_TO_GET_ISSUER_CERT",
    7: "CERT_SIGNATURE_FAILURE",
    9: "CERT_NOT_YET_VALID",
    10: "CERT_HAS_EXPIRED",
    18: "DEPTH_ZERO_SELF_SIGNED_CERT",
    19: "SELF_SIGNED_CERT_IN_CHAIN",
    20: "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
    21: "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
    22: "CERT_CHAIN_TOO_LONG",
    23: "CERT_REVOKED",
    24: "INVALID_CA",
    25: "PATH_LENGTH_EXCEEDED",
    26: "INVALID_PURPOSE",
    27: "CERT_UNTRUSTED",
    28: "CERT_REJECTED",
    62: "ERR_TLS_CERT_ALTNAME_INVALID",
    64: "ERR_TLS_CERT_ALTNAME_INVALID",
}
"""By OpenSSL's verification result (openssl-verification-options(1)); 62 and 64 are names and addresses,
which Node checks itself."""
_REASON: Final = re.compile(r"[A-Z0-9_]{1,64}")


def system_name(error: BaseException) -> str:
    """Node's name for `error` or for what caused it; empty for none."""
    cause: BaseException | None = error
    while cause is not None:
        name = _name(cause)
        if name:
            return name
        cause = cause.__cause__ or cause.__context__
    return ""


def _name(error: BaseException) -> str:
    if isinstance(error, aiohttp.ClientConnectorError | aiohttp.ClientConnectorCertificateError):
        return ""  # kinds of what follows, without its facts, which their cause has
    if isinstance(error, ssl.SSLCertVerificationError):
        return _CERTIFICATES.get(error.verify_code, "UNABLE_TO_VERIFY_LEAF_SIGNATURE")
    if isinstance(error, ssl.SSLError):
        reason = str(error.reason or "")
        return f"ERR_SSL_{reason}" if _REASON.fullmatch(reason) else "EPROTO"
    if isinstance(error, socket.gaierror):
        return "EAI_AGAIN" if error.errno == socket.EAI_AGAIN else "ENOTFOUND"
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "UND_ERR_SOCKET"
    if isinstance(error, aiohttp.ClientPayloadError):
        return "UND_ERR_SOCKET"
    if isinstance(error, aiohttp.ClientResponseError):
        return "HPE_INVALID_CONSTANT"
    if isinstance(error, OSError) and isinstance(error.errno, int):
        return errno.errorcode.get(error.errno, "")
    return ""
