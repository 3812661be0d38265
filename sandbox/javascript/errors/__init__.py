"""Failures of Actions: in V8's words, at places of the tenant's own source."""
