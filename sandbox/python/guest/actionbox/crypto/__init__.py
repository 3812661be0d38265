"""The part of the package `cryptography` that Actions use, spelled as it spells it; the host computes."""
