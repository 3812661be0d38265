"""Records of executions and answers: written, and read again."""
