"""Services of the parent for guests, which may not do it: requests, builds, images, cache, directory."""
