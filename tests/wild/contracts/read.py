"""Reads what the Actions before it noted."""


async def on_execute_post_login(event, api):
    app, user = event.user.app_metadata, event.user.user_metadata
    print("seen", app.tmp_scope, app.customer_no, user.tmp_theme, user.theme)
