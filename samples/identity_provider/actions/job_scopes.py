"""Jobs get the scopes that their client's metadata names; suspended ones get no token."""


async def on_execute_credentials_exchange(event, api):
    if event.client.metadata.suspended:
        api.access.deny("invalid_client", "This job is suspended.")
        return
    for scope in (event.client.metadata.extra_scopes or "").split():
        api.transaction.add_target_scope(scope)
