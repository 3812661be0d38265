"""Signing in with an OpenID provider: code with PKCE, and groups that are mapped to scopes."""
