"""Records of executions in the service: which are kept, how they are stored, who sees them, how they go."""
