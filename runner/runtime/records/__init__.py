"""What is recorded of executions and answers, and read again."""
