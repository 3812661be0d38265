"""Expressions that are printed each time a line is passed, without a change to what the run does."""
