"""Faults on purpose: the service is killed, starved and refused, and must keep what it acknowledged."""
