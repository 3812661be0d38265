"""The tenant's side of the service: a folder of Actions, pushed to it and pulled from it over HTTP.

Knows the Management API and the runtime API as any client does, and nothing of the store behind them.
"""
