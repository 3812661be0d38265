"""Welcome note: posts new users to a team chat, and large customers to their account manager too.

The notes are sent at the same time. A chat that does not answer is logged, it harms nothing else.

Trigger: post-user-registration
Secrets:
  TEAM_WEBHOOK      incoming webhook of the team's channel
  ACCOUNTS_WEBHOOK  incoming webhook of the account managers' channel
"""

import asyncio


async def post(webhook, text):
    response = await fetch(webhook, method="POST", json={"text": text}, timeout=5)
    if not response.ok:
        raise RuntimeError(f"HTTP {response.status}")


async def on_execute_post_user_registration(event, api):
    user = event.user
    text = f"New user {user.name or user.user_id} by connection {event.connection.name}"
    notes = [post(event.secrets.TEAM_WEBHOOK, text)]
    if user.app_metadata.get("plan") == "enterprise":
        notes.append(post(event.secrets.ACCOUNTS_WEBHOOK, f"{text} (enterprise)"))

    results = await asyncio.gather(*notes, return_exceptions=True)
    failed = [str(result) for result in results if result is not None]
    print(f"{len(results) - len(failed)} of {len(results)} notes sent", *failed)
