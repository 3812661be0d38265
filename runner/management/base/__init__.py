"""Base of the routes of the Management API: lists, bodies, answers, entity tags."""
