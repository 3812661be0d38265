"""Benchmarks: `make bench` prints every figure, ours and its peers side by side, in one run."""
