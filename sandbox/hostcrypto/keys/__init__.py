"""Keys: read, checked, described, written and made."""
