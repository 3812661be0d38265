"""npm packages for Actions: resolved, locked, verified and unpacked on the host; nothing of them is executed
here, and no install script ever runs (threat-model 4.11)."""
