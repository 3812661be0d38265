"""What can be wrong with a token, a key or a key set."""


class PyJWTError(Exception):
    """Whatever this module raises."""


class InvalidTokenError(PyJWTError):
    """A token is not to be trusted."""


class DecodeError(InvalidTokenError):
    """A token cannot be read."""


class InvalidSignatureError(DecodeError):
    """The signature is not of this key over this token."""


class ExpiredSignatureError(InvalidTokenError):
    """The time in `exp` is over."""


class InvalidAudienceError(InvalidTokenError):
    """The token is for somebody else."""


class InvalidIssuerError(InvalidTokenError):
    """The token is of somebody else."""


class InvalidIssuedAtError(InvalidTokenError):
    """`iat` is no number."""


class ImmatureSignatureError(InvalidTokenError):
    """The time in `nbf` or `iat` is yet to come."""


class InvalidSubjectError(InvalidTokenError):
    """`sub` is no string, or another one."""


class InvalidJTIError(InvalidTokenError):
    """`jti` is no string."""


class InvalidKeyError(PyJWTError):
    """A key does not fit its algorithm."""


class InvalidAlgorithmError(InvalidTokenError):
    """The token's algorithm is unknown or not allowed."""


class MissingRequiredClaimError(InvalidTokenError):
    """A claim is missing. `claim` is its name."""

    def __init__(self, claim: str) -> None:
        super().__init__(claim)
        self.claim = claim

    def __str__(self) -> str:
        return f'Token is missing the "{self.claim}" claim'


class PyJWKError(PyJWTError):
    """A JSON Web Key is for no known algorithm."""


class MissingCryptographyError(PyJWKError):
    """Never raised here: all algorithms are there."""


class PyJWKSetError(PyJWTError):
    """A key set holds no usable key."""


class PyJWKClientError(PyJWTError):
    """A key set could not be had, or has no such key."""


class PyJWKClientConnectionError(PyJWKClientError):
    """The request for a key set failed."""


class InsecureKeyLengthWarning(UserWarning):
    """A key is shorter than its algorithm wants."""


NAMES = " ".join(name for name in list(globals()) if name.endswith(("Error", "Warning")))
