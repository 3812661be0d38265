"""The model that every layer of the runner uses: Actions, outcomes, settings, limits, errors."""
