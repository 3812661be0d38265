"""How times change as executions add up: databases of several sizes beside one another."""
