"""Composition only: the app, the commands that serve it, its description, logs, TLS, connections."""
