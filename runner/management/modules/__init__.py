"""Shared modules: drafts, versions, and which Actions use them."""
