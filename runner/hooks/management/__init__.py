"""`/api/v2/identity-provider-hooks`: the hooks that a tenant has configured."""
