"""Writes down what it sees of a credential."""


async def on_execute_post_credential_validation(event, api):
    user = event.user
    print(event.credential.valid, user.user_id if user else None, event.transaction.metadata.seen)
