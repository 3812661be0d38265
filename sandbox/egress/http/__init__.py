"""The making of requests: lookup, connection, strict framing and bounded reading of responses."""
