"""The database itself: opening it, transactions, notices between processes, its health."""
