"""The engine behind contracts: surfaces, sessions of Actions, and the fold of their commands to effects."""
