"""Event streams and their deliveries."""
