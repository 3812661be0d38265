"""Shadow runs: another version of an Action, or a draft, on an event that already happened."""
