"""How providers prove that a request is theirs, for all that do it alike. Raw bytes in, and constant time."""
