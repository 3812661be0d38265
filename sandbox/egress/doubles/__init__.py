"""Stand-ins for the network: stubs, and real requests kept as stubs."""
