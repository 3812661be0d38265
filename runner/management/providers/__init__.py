"""A tenant's own message providers."""
