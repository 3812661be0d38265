"""`actionbox rollout`."""
