"""Disposable addresses: asks a reputation service whether a mailbox is a throw-away one.

The verdict on a domain is cached for an hour. When the service does not answer in time, the signup
goes on and the user is marked for review.

Trigger: pre-user-registration
Secrets:
  REPUTATION_URL  the service
  REPUTATION_KEY  our key there
"""

from urllib.parse import urlencode

HOUR_MS = 3600 * 1000


async def verdict_on(domain, event, api):
    kept = api.cache.get(f"domain:{domain}")
    if kept:
        return kept.value
    query = urlencode({"domain": domain})
    response = await fetch(
        f"{event.secrets.REPUTATION_URL}/check?{query}",
        headers={"authorization": f"Bearer {event.secrets.REPUTATION_KEY}"},
        timeout=2,
    )
    response.raise_for_status()
    verdict = response.json()["verdict"]
    api.cache.set(f"domain:{domain}", verdict, ttl=HOUR_MS)
    return verdict


async def on_execute_pre_user_registration(event, api):
    if not event.user.email:
        return
    domain = event.user.email.rpartition("@")[2].lower()
    try:
        verdict = await verdict_on(domain, event, api)
    except OSError as error:
        print("no verdict, marked for review:", error)
        api.user.set_app_metadata("review", "email")
        return

    if verdict == "disposable":
        api.access.deny(f"disposable address at {domain}", "Please sign up with a permanent email address.")
