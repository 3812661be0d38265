"""Leave a line for whoever reads the log."""


async def on_execute_post_user_registration(event, api):
    print("welcome", event.user.email)
