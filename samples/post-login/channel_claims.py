"""Channel, second half: turns what earlier Actions found out into claims and profile data.

Bind it after `tag-channel.js`.

Trigger: post-login
Secrets: none
"""


async def on_execute_post_login(event, api):
    channel = event.transaction.metadata.channel
    if channel is None:
        raise LookupError("no channel: bind tag-channel.js before this Action")

    api.id_token.set_custom_claim("https://harbor.example/channel", channel)
    if event.transaction.metadata.first_login:
        api.user.set_app_metadata("acquired_by", channel)
        print("first login, by", channel)
