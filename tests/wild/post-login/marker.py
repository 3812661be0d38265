async def on_execute_post_login(event, api):
    api.id_token.set_custom_claim("marker", event.user.app_metadata.get("before"))
