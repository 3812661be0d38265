"""`actionbox replay` and `actionbox verify`."""
