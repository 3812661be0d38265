"""The event of `password-hash-migration`: what is published of it, and nothing guessed beside it."""

from __future__ import annotations

from triggers.events.model.base import CREDENTIAL, EXPERIMENTAL, PLAIN, OpenMap, may, must
from triggers.events.parts.context import Event


class PasswordHashMigrationEvent(Event):
    """A password has to be checked against an imported hash."""

    custom_hash_required: bool | None = may(
        "Whether the service cannot check the hash by itself.", PLAIN, state=EXPERIMENTAL
    )
    custom_password_hash: OpenMap | None = may(
        "The imported hash and how it was made: algorithm, hash, salt and so on.",
        CREDENTIAL,
        state=EXPERIMENTAL,
    )
    plaintext_password: str = must("The password that was entered, in clear.", CREDENTIAL, state=EXPERIMENTAL)
