"""Roles to claims: puts the user's roles, and what they allow, into the tokens.

The ID token gets the role names for the user interface; the access token gets the permissions that
the roles add up to, so that the API need not know role names.

Trigger: post-login
Secrets: none
"""

NAMESPACE = "https://harbor.example"

PERMISSIONS = {
    "visitor": ["berths:read"],
    "berth-manager": ["berths:read", "berths:assign"],
    "harbor-master": ["berths:read", "berths:assign", "berths:close"],
}


def permissions_of(roles):
    unknown = [role for role in roles if role not in PERMISSIONS]
    if unknown:
        print("roles without permissions:", unknown)
    return sorted({permission for role in roles for permission in PERMISSIONS.get(role, [])})


async def on_execute_post_login(event, api):
    roles = sorted(event.authorization.roles) if event.authorization else ["visitor"]
    permissions = permissions_of(roles)

    api.id_token.set_custom_claim(f"{NAMESPACE}/roles", roles)
    api.access_token.set_custom_claim(f"{NAMESPACE}/permissions", permissions)
    print(f"{event.user.name or event.user.user_id}: {len(roles)} role(s), {len(permissions)} permission(s)")
