"""What maintainers run: probes of conformance, and generators of pages. Not shipped."""
