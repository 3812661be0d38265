"""What everything in the sandbox shares: programs, requests, failures, limits and JSON, on nothing else."""
