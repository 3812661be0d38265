"""Lint and type check of the JavaScript that is ours: the guest, what Node runs for it, samples."""
