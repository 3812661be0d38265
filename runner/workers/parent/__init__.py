"""The service's side of the workers: queue, dispatch, supervision, and what guests ask of the host."""
