"""Pages of docs/ that are made from the contracts of triggers: `python -m tools.reference`."""
