"""The language of event models: their base class, what can be asked about them, and the check of an event."""
