"""The operations by name, and their answers as text."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable
from typing import Any, Final

from sandbox.core.caps import MAX_COMPUTE_BYTES
from sandbox.core.json_text import JsonRefusedError, encode, parse
from sandbox.hostcrypto import asymmetric, ciphers, compression, derivation, digests, signatures
from sandbox.hostcrypto.arguments import Arguments
from sandbox.hostcrypto.deadlines import within
from sandbox.hostcrypto.errors import CryptoError
from sandbox.hostcrypto.keys import encoding, generation

_log = logging.getLogger(__name__)

OPERATIONS: Final[dict[str, Callable[[Arguments], dict[str, Any]]]] = {
    "agree": asymmetric.agree,
    "certificate": generation.certificate,
    "cipher": ciphers.cipher,
    "decrypt": asymmetric.decrypt,
    "deflate": compression.deflate,
    "digest": digests.digest,
    "encrypt": asymmetric.encrypt,
    "equal": ciphers.equal,
    "hkdf": derivation.hkdf,
    "inflate": compression.inflate,
    "key.export": encoding.export_key,
    "key.generate": generation.generate,
    "key.import": encoding.import_key,
    "keywrap": ciphers.key_wrap,
    "pbkdf2": derivation.pbkdf2,
    "recover": asymmetric.recover,
    "scrypt": derivation.scrypt,
    "sign": signatures.sign,
    "verify": signatures.verify,
}

RANDOMISED: Final = frozenset({"decrypt", "deflate", "encrypt", "key.export", "key.generate", "sign"})
"""Operations whose answer may differ from call to call (implicit rejection makes `decrypt` one, another
zlib `deflate`): a journal
keeps it. All others are functions of their arguments, which a replay computes again."""

RECORDED: Final = RANDOMISED | {"verify"}
"""Operations whose answers a journal keeps: those, and what cannot be repeated on a record that is shown with
other claims in its tokens, and so with signatures that are none."""

_SLOW: Final = frozenset({"pbkdf2", "scrypt", "key.generate"})


def compute(operation: str, arguments: str, deadline: float) -> str:
    """Answer one call: JSON `{"ok": ...}` or `{"error": {"name", "message", "code"?}}`. Never raises.

    Args:
        deadline: in `time.monotonic()` seconds; a slow operation is given up then.
    """
    try:
        return encode({"ok": _perform(operation, arguments, deadline)})
    except CryptoError as error:
        return _refusal(error)
    except JsonRefusedError as error:
        return _refusal(
            CryptoError(
                f"The arguments of this computation {error.message}", "ERR_OUT_OF_RANGE", "RangeError"
            )
        )
    except Exception:  # noqa: BLE001 - nothing of ours reaches a guest (threat-model E4)
        reference = uuid.uuid4().hex[:12]
        # No traceback: its locals and texts may hold keys.
        _log.error(
            "host computation %s failed (%s)", operation if operation in OPERATIONS else "?", reference
        )
        return _refusal(CryptoError("The host could not do this computation", "ERR_CRYPTO_OPERATION_FAILED"))


def _perform(operation: str, arguments: str, deadline: float) -> dict[str, Any]:
    perform = OPERATIONS.get(operation)
    if perform is None:
        raise CryptoError("The host has no such computation", "ERR_METHOD_NOT_IMPLEMENTED")
    if time.monotonic() >= deadline:
        raise CryptoError("The execution's time is over")
    given = Arguments(parse(arguments, max_bytes=MAX_COMPUTE_BYTES))
    if operation in _SLOW or '"passphrase"' in arguments:
        answer: dict[str, Any] = within(deadline, lambda: perform(given))
        return answer
    return perform(given)


def _refusal(error: CryptoError) -> str:
    shown = {"name": error.name, "message": str(error)}
    if error.code is not None:
        shown["code"] = error.code
    return encode({"error": shown})
