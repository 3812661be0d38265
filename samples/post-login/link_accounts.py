"""Account linking: a user who comes by another door is led to the account that exists already.

Looks for an older account with the same verified email, makes the identity of this login a secondary
identity of it, and lets that account be the subject of the tokens. The Management API token is kept
in the cache until shortly before it expires.

Trigger: post-login
Secrets:
  API_DOMAIN         tenant domain of the Management API
  API_CLIENT_ID      application with the scopes read:users and update:users
  API_CLIENT_SECRET  its secret
"""

from urllib.parse import quote


async def management_token(event, api):
    kept = api.cache.get("management-token")
    if kept:
        return kept.value
    secrets = event.secrets
    response = await fetch(
        f"https://{secrets.API_DOMAIN}/oauth/token",
        method="POST",
        json={
            "grant_type": "client_credentials",
            "client_id": secrets.API_CLIENT_ID,
            "client_secret": secrets.API_CLIENT_SECRET,
            "audience": f"https://{secrets.API_DOMAIN}/api/v2/",
        },
        timeout=5,
    )
    if not response.ok:
        raise RuntimeError(f"no Management API token: HTTP {response.status}")
    grant = response.json()
    api.cache.set("management-token", grant["access_token"], ttl=(grant["expires_in"] - 60) * 1000)
    return grant["access_token"]


def is_older_self(other, user):
    return (
        other["email_verified"] and other["user_id"] != user.user_id and other["created_at"] < user.created_at
    )


async def on_execute_post_login(event, api):
    user = event.user
    if not user.email or not user.email_verified or len(user.identities) > 1:
        return

    users = f"https://{event.secrets.API_DOMAIN}/api/v2/users"
    headers = {"authorization": f"Bearer {await management_token(event, api)}"}
    response = await fetch(f"{users}-by-email?email={quote(user.email)}", headers=headers, timeout=5)
    if not response.ok:
        print(f"search failed with HTTP {response.status}, going on without linking")
        return

    older = [other for other in response.json() if is_older_self(other, user)]
    if not older:
        return

    primary = min(older, key=lambda other: other["created_at"])["user_id"]
    provider, own_id = user.user_id.split("|", 1)
    response = await fetch(
        f"{users}/{quote(primary, safe='')}/identities",
        method="POST",
        headers=headers,
        json={"provider": provider, "user_id": own_id},
        timeout=5,
    )
    if response.status != 201:
        raise RuntimeError(f"linking failed: HTTP {response.status}")
    api.authentication.set_primary_user(primary)
    print(f"linked {user.user_id} to {primary}")
