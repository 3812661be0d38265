"""Who calls: client secrets and assertions, access tokens, and the scopes that routes declare."""
