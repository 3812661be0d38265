"""The protocol between the service and its workers."""
