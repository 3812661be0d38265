"""Packages of Actions: npm packages and Python wheels, resolved, locked, verified and unpacked."""
