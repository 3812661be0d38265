"""Administrators show their second factor, and so does who logs in at a risk (door.js says who)."""


async def on_execute_post_login(event, api):
    done = any(method.name == "mfa" for method in event.authentication.methods)
    risk = event.transaction.metadata.risk or 0
    if ("admin" in event.authorization.roles or risk > 0.5) and not done:
        api.authentication.challenge_with({"type": "otp"})
