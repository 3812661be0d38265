"""The tenant's log and executions."""
