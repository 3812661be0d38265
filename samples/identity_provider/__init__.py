"""A small identity provider that runs its tenants' Actions through the runtime API."""
