"""Run the Actions of a flow one after another, and say what they came to."""
