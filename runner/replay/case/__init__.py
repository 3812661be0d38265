"""Test cases made of recorded executions."""
