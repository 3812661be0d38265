"""What operators do from the command line, without the APIs: tenants and clients, schema, key rotation."""
