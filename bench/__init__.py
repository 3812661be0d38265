"""Benchmarks: `make bench` prints and keeps every figure, ours and its peers' side by side, in one run."""
