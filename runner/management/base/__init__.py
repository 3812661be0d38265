"""What the routes of the Management API share: lists, bodies, answers, entity tags."""
