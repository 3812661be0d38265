"""Commands of the tenants of a service: login, push, pull, rollback, invoke, executions, logs."""
