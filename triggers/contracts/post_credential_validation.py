"""The trigger `post-credential-validation` (documentation: Explore Triggers, Post Credential Validation; in
limited release)."""

from __future__ import annotations

from typing import Final

from triggers.api.access import DENY_CREDENTIAL
from triggers.api.cache import CACHE
from triggers.api.transaction import set_metadata, with_transaction
from triggers.engine.catalogue import current
from triggers.engine.surface import Surface
from triggers.engine.trigger import Trigger

TRIGGER: Final = Trigger(
    id="post-credential-validation",
    summary="A login to a database connection, after the credential was checked, whether it is valid or not, "
    "and before anything is answered.",
    handlers=("onExecutePostCredentialValidation",),
    blocking=True,
    surface=Surface((DENY_CREDENTIAL, set_metadata("void"), *CACHE)),
    versions=(current("v1", ("node22",)),),
    complete=with_transaction,
    decided=(
        "An Action can refuse a valid credential; it cannot make an invalid one valid: nothing in the api "
        "does, and event.credential is the platform's. Where event.credential.valid is false the login "
        "fails, whatever the outcome says.",
        "It fails closed, unless a binding's own fail policy opens it. A flow that failed refuses the "
        "login, and so does an outcome that the platform could not get. Every refusal is answered as a wrong "
        "credential is; the reason is for the tenant's records.",
        "No page describes event.client, event.tenant and event.transaction here; what the platform knows of "
        "them is handed on. api.cache is there as in every trigger.",
    ),
)
