"""JSON Schemas and typings, made from the contracts."""
