"""Authentication of callers: client secrets and assertions, access tokens, and scopes of routes."""
