"""Groups of api members that several triggers share."""
