"""The guest half of the Python sandbox: runs inside CPython in wasm, never on the host.

Nothing here is a boundary (threat-model B1): a tenant who takes all of it over still only holds the
host functions of `guest.wit`. It gives Actions their language: builtins, modules, event, api, HTTP.
"""
