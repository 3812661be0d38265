"""What the service and its workers say to each other, and how it is read."""
