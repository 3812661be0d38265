"""What every layer of the runner speaks of: Actions, outcomes, settings, limits, errors."""
