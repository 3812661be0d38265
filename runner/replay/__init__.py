"""Record legs, and run them again."""
