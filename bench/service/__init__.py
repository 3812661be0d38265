"""The service over HTTP, its workers and its jobs."""
