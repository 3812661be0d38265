"""The tables, and what their columns share."""
