"""A factor to enrol, and no box to tick that the browser is known."""


async def on_execute_post_login(event, api):
    api.authentication.enroll_with({"type": "webauthn-roaming"})
    api.multifactor.enable("any", allow_remember_browser=False)
