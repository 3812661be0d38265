"""Administrators show their second factor."""


async def on_execute_post_login(event, api):
    done = any(method.name == "mfa" for method in event.authentication.methods)
    if "admin" in event.authorization.roles and not done:
        api.authentication.challenge_with({"type": "otp"})
