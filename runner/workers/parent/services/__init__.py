"""What the parent does for guests, which may not do it: requests, builds, images, cache, directory."""
