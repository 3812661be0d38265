"""Identity check: before a first payment the user shows an identity document to a partner.

The partner is visited once; its confirmation is kept as an authentication method of the session and
in app_metadata. A visitor who was refused by the partner is refused by us.

Trigger: post-login
Secrets:
  IDENTITY_URL     address of the partner
  IDENTITY_SECRET  shared with the partner; signs the tokens of both sides
"""

from datetime import UTC, datetime


async def on_execute_post_login(event, api):
    scopes = (event.transaction and event.transaction.requested_scopes) or []
    if "make:payments" not in scopes or event.user.app_metadata.identity_checked_at:
        return
    if not api.redirect.can_redirect():
        api.access_token.remove_scope("make:payments")
        return

    token = api.redirect.encode_token(
        secret=event.secrets.IDENTITY_SECRET,
        expires_in_seconds=600,
        payload={"name": event.user.name, "locale": event.transaction.locale},
    )
    api.redirect.send_user_to(event.secrets.IDENTITY_URL, query={"request": token})


async def on_continue_post_login(event, api):
    answer = api.redirect.validate_token(secret=event.secrets.IDENTITY_SECRET, token_parameter_name="result")
    if answer["outcome"] != "confirmed":
        print("identity not confirmed:", answer["outcome"])
        api.access.deny("Your identity could not be confirmed.")
        return

    api.authentication.record_method(event.secrets.IDENTITY_URL)
    api.user.set_app_metadata("identity_checked_at", datetime.now(UTC).isoformat())
