"""Geo rule: keeps logins out of countries where the service may not be offered.

Staff of the own connection travel and are let in from everywhere, with a note in the log. A caller
whose country is unknown is let in as well.

Trigger: post-login
Secrets:
  DENIED_COUNTRIES  two-letter country codes, separated by commas
  STAFF_CONNECTION  name of the connection of the own staff
"""


async def on_execute_post_login(event, api):
    denied = {code.strip().upper() for code in event.secrets.DENIED_COUNTRIES.split(",")}
    country = event.request.geoip.country_code
    if country not in denied:
        return

    name = event.request.geoip.country_name or country
    if event.connection.name == event.secrets.STAFF_CONNECTION:
        print(f"staff member {event.user.user_id} signs in from {name}")
        return
    api.access.deny(f"This service is not available in {name}.")
