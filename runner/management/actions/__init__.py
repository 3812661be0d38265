"""Actions of a tenant: drafts, their builds and tests, versions, removal."""
