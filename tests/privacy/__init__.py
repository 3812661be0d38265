"""What is shown of records, and whether it still reproduces."""
