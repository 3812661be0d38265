"""Takes back what was noted for the flow only: without a value, for None removes what is stored."""


async def on_execute_post_login(event, api):
    for key in ("tmp_scope", "customer_no"):
        api.user.set_app_metadata(key)
    api.user.set_user_metadata("tmp_theme")
    api.user.set_user_metadata(key="theme")
