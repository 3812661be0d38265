async def on_execute_post_login(event, api):
    version = event.user.app_metadata.terms.version if event.user.app_metadata.get("terms") else None
    if version == 3 or not api.redirect.can_redirect():
        return
    token = api.redirect.encode_token(
        secret=event.secrets.SHARED, payload={"have": version}, expires_in_seconds=120
    )
    api.redirect.send_user_to("https://terms.harbor.example", query={"session_token": token, "v": 3})


async def on_continue_post_login(event, api):
    try:
        answer = api.redirect.validate_token(secret=event.secrets.SHARED)
    except Exception as problem:
        print("refused:", problem)
        return api.access.deny("terms: no valid answer")
    if answer.get("accepted") is not True:
        api.access.deny("terms not accepted")
        return
    api.user.set_app_metadata("terms", {"version": 3, "from": event.request.ip})
