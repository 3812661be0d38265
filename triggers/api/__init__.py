"""Members of `api`, in groups that several triggers share."""
