"""What runs a contract: its surface, the session of an Action, the fold of its commands to effects."""
