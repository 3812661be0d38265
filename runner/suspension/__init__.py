"""Keep flows that wait for their users, and take them up again."""
