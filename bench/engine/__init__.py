"""One execution or flow in this process: its time, its memory, its limits, and peers beside it."""
