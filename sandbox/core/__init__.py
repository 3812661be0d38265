"""Programs, requests, failures, limits and JSON, which everything else in the sandbox stands on."""
