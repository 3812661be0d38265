"""Declarative test cases: `*.case.yaml` files, see docs/testing.md."""
