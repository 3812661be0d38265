"""Errors of the machine's set-up, as opposed to those of an Action."""

from __future__ import annotations


class SetUpError(Exception):
    """The sandboxes cannot be set up here; the text says why, and what to do about it."""
