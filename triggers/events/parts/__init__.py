"""Parts of events that several triggers share: user, session, request, parties, transaction, risk."""
