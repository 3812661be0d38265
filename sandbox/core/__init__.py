"""What every engine shares: programs, requests, results, failures, limits, one execution."""
