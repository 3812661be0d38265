"""Hooks of identity providers, over HTTP with a real worker."""
