"""Step-up, second half: sensitive scopes are granted only when a second factor really happened.

Bind it after `step-up-mfa.js`. Without a second factor the login goes on, without those scopes.

Trigger: post-login
Secrets: none
"""

SENSITIVE_SCOPES = ("transfer:berths", "read:invoices")


def used_second_factor(event):
    if not event.authentication:
        return None
    for method in event.authentication.methods:
        if method.name == "mfa":
            return method.type
        if method.name == "passkey":
            return "passkey"
    return None


async def on_execute_post_login(event, api):
    requested = (event.transaction and event.transaction.requested_scopes) or []
    sensitive = [scope for scope in SENSITIVE_SCOPES if scope in requested]
    if not sensitive:
        return

    factor = used_second_factor(event)
    if factor is None:
        for scope in sensitive:
            api.access_token.remove_scope(scope)
        print("no second factor, withheld:", ", ".join(sensitive))
        return

    api.access_token.set_custom_claim("https://harbor.example/second_factor", factor)
    print(f"second factor {factor}, granted:", ", ".join(sensitive))
