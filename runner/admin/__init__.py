"""Administration by operators, from the command line and without the APIs: tenants, clients, schema, keys."""
