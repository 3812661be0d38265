"""`actionbox hook …`: hooks of identity providers."""
