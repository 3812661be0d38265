"""Refresh-token policy: a token stays in its country, and sleeps at most two weeks.

At login the country is noted on the refresh token that will be issued. At every exchange the
country is compared, and the idle time starts anew; a token that has moved is revoked.

Trigger: post-login
Secrets: none
"""

import time

IDLE_MS = 14 * 24 * 3600 * 1000


def now_ms():
    return int(time.time() * 1000)


async def on_execute_post_login(event, api):
    country = event.request.geoip.country_code
    token = event.refresh_token

    if token:
        home = (token.metadata or {}).get("country")
        if home and country and home != country:
            print(f"refresh token {token.id} moved from {home} to {country}")
            api.refresh_token.revoke(f"Token of {home} used in {country}.")
            return

    if country:
        api.refresh_token.set_metadata("country", country)
    api.refresh_token.set_idle_expires_at(now_ms() + IDLE_MS)
