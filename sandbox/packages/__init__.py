"""What Actions bring along: npm packages and Python wheels, resolved, locked, verified and unpacked."""
