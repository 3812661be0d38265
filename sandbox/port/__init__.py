"""The host port: what a guest may ask of the host, answered live, from a record, or beside one."""
