"""A running service for the tests of several packages, and what its answers are held against."""
