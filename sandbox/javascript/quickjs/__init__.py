"""QuickJS: the changes to its binary, and one instance of it as the host drives it."""
