"""Shadow runs in the service: of a draft or version on recorded executions, and before each deploy."""
