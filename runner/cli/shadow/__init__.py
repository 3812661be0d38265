"""`actionbox shadow`: a draft on what happened, here or on the service."""
