"""One module for each trigger: its event, its api, its decisions."""
