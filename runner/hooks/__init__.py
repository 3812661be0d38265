"""Hooks: identity providers call a tenant's Actions as they are, at `/hooks/v1/{tenant}/{provider}/{hook}`.

    request ─ verify (raw bytes) ─ payload ─ event ─ the path of `invoke` ─ outcome ─ result ─ answer

How to add a provider, in three files:

1. `providers/<name>.py` (or a folder): a class of `model.Provider`, and a `model.Hook` for each hook. List
   the class in `providers.PROVIDERS`.

   A hook is declarative: its triggers (and `choose`, if the payload decides), the effects that it carries,
   the provider's time limit, `event` (payload to event, read through `events.Reading`, begun with
   `events.base_event`), `body` (effects to the answer that lets go on), `key` (the provider's id of a
   request, the same over its retries).

   The class has `verify` (from `schemes/`), `response_of` (an answer for every `model.Case`), `goes_on`
   (whether the provider takes an answer for leave to go on, read as the provider reads it) and `sign` (for
   `hook simulate` and tests).
2. `providers/examples/<name>/<hook>.json`: what the provider sends, one file for each hook.
3. `tests/hooks/test_<name>.py`: the signature against vectors that are not ours, the mapping, and what each
   case becomes. `tests/hooks/test_every_provider.py` takes every hook of every provider through every case,
   and through bad payloads and headers, without being told.

`providers/zitadel` is the example to copy; `docs/identity-providers.md` gets the five steps.
"""
