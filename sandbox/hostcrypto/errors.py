"""The one error of the package, and the sentences that several modules say."""

from __future__ import annotations


class CryptoError(Exception):
    """Refusal or failure of an operation, thrown in the guest.

    Attributes:
        name: a JavaScript error class: `Error`, `TypeError` or `RangeError`.
        code: as Node names it; None where Node gives none.
    """

    def __init__(self, message: str, code: str | None = None, name: str = "Error") -> None:
        super().__init__(message)
        self.name = name
        self.code = code


def invalid_argument(message: str) -> CryptoError:
    """An argument has the wrong kind or is out of range."""
    return CryptoError(message, "ERR_INVALID_ARG_VALUE", "TypeError")


def out_of_range(message: str) -> CryptoError:
    """A number or a length is outside what the host takes."""
    return CryptoError(message, "ERR_OUT_OF_RANGE", "RangeError")


def unreadable_key() -> CryptoError:
    """OpenSSL's error for text that is no key it knows."""
    return CryptoError("error:1E08010C:DECODER routines::unsupported", "ERR_OSSL_UNSUPPORTED")


def unsupported(message: str) -> CryptoError:
    """The operation exists, but not for this key or algorithm."""
    return CryptoError(message, "ERR_OSSL_EVP_UNSUPPORTED")
