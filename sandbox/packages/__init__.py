"""What Actions bring along: npm packages, Python wheels, and the build of an Action with them."""
