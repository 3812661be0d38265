"""Build tools on texts of tenants, confined: the transpiler and the bundler."""
