"""Composition only: the app, the commands that serve it, settings, TLS, connections."""
