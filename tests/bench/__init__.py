"""Benchmarks: what they find is kept and drawn as it was found; nothing here looks at times."""
