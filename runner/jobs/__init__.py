"""Work that was acknowledged and happens later: an outbox table, leased by workers, at least once."""
