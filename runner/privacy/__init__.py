"""The redacted form of a record, and whether it still reproduces."""
