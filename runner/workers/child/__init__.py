"""The process of a worker: it has given up its rights, and runs legs and builds."""
