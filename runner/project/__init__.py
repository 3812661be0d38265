"""Read what stands beside Action files: manifests, locks, allow-lists."""
