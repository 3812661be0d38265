"""Group gate: an internal application lets in members of certain groups only.

The groups stand in the application's metadata as `groups`, separated by commas; an application without
that entry is open to all. Roles that come by groups are added to the ID token.

Trigger: post-login
Secrets: none
"""

import asyncio


async def on_execute_post_login(event, api):
    entry = event.client.metadata.groups
    if not entry:
        return

    wanted = [name.strip() for name in entry.split(",")]
    membership, effective = await asyncio.gather(
        api.groups.has_group_membership(wanted),
        api.roles.get_user_effective_roles(take=50),
    )
    member_of = [name for name in wanted if membership["memberships"][name]["is_member"]]
    if not member_of:
        print(f"{event.user.user_id} is in none of {wanted}")
        api.access.deny(f"{event.client.name} is open to members of {' or '.join(wanted)} only.")
        return

    roles = sorted(role["name"] for role in effective["roles"])
    api.id_token.set_custom_claim("https://harbor.example/groups", member_of)
    api.id_token.set_custom_claim("https://harbor.example/effective_roles", roles)
