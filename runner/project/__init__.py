"""Read Action files and what stands beside them: manifests, locks, allow-lists."""
