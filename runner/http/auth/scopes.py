"""Every scope of both APIs."""

from __future__ import annotations

from typing import Final

MANAGEMENT_SCOPES: Final = {
    "read:actions": "Read Actions, versions, triggers, bindings, modules and executions.",
    "create:actions": "Create Actions and modules; test and deploy.",
    "update:actions": "Change Actions, modules and bindings; publish modules.",
    "delete:actions": "Delete Actions and modules.",
    "read:token_exchange_profiles": "Read token exchange profiles.",
    "create:token_exchange_profiles": "Create token exchange profiles.",
    "update:token_exchange_profiles": "Change token exchange profiles.",
    "delete:token_exchange_profiles": "Delete token exchange profiles.",
    "read:event_streams": "Read event streams.",
    "create:event_streams": "Create event streams.",
    "update:event_streams": "Change, enable and disable event streams.",
    "delete:event_streams": "Delete event streams with their Actions.",
    "read:event_deliveries": "Read deliveries to event streams.",
    "create:event_deliveries": "Send test events to event streams.",
    "update:event_deliveries": "Deliver events again.",
    **{
        f"{verb}:{what}": f"{verb.capitalize()} the switch to an own {channel} provider."
        for what, channel in (("email_provider", "email"), ("phone_providers", "phone"))
        for verb in ("read", "create", "update", "delete")
    },
    "read:identity_provider_hooks": "Read hooks of identity providers.",
    "create:identity_provider_hooks": "Create hooks of identity providers.",
    "update:identity_provider_hooks": "Change hooks of identity providers and their secrets; test them.",
    "delete:identity_provider_hooks": "Delete hooks of identity providers.",
    "read:logs": "Read the log, and follow it live.",
}
RUNTIME_SCOPES: Final = {
    "invoke:triggers": "Run triggers and resume suspended flows.",
    "read:executions": "Read executions: outcomes, console output, times.",
    "read:execution_data": "Read records of executions in redacted form.",
    "reveal:execution_data": "Read records of executions in plain form, for a reason that is audited.",
    "delete:execution_data": "Erase the records that are about a user.",
    "read:logs": MANAGEMENT_SCOPES["read:logs"],
    "manage:jobs": "List and re-run asynchronous work that failed.",
}
CONSOLE_SCOPES: Final = {
    "read:audit": "Read the audit trail.",
    "read:sessions": "List the sessions of the console.",
    "delete:sessions": "End sessions of the console.",
    "read:clients": "List API clients.",
    "create:clients": "Add API clients, with no scope that their maker lacks.",
    "delete:clients": "Revoke API clients.",
}
ALL_SCOPES: Final = {**MANAGEMENT_SCOPES, **RUNTIME_SCOPES, **CONSOLE_SCOPES}
"""What a client of a tenant can have."""
OPERATE: Final = "operate:tenants"
"""List and add tenants, and work in each: for sessions of operators, and never for a client."""
