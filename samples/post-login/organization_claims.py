"""Organization to claims: tells the application for which customer the user signed in.

An organization that is suspended lets nobody in. Logins outside any organization are left alone.

Trigger: post-login
Secrets: none
"""

NAMESPACE = "https://harbor.example"


async def on_execute_post_login(event, api):
    organization = event.organization
    if not organization:
        return

    if organization.metadata.status == "suspended":
        api.access.deny(f"{organization.display_name} is suspended. Please ask your administrator.")
        return

    plan = organization.metadata.get("plan", "basic")
    seats = int(organization.metadata.get("seats", "0"))
    customer = {"id": organization.id, "name": organization.display_name}
    for token in (api.id_token, api.access_token):
        token.set_custom_claim(f"{NAMESPACE}/customer", customer)
        token.set_custom_claim(f"{NAMESPACE}/plan", plan)
    if plan == "enterprise" and seats > 100:
        api.access_token.add_scope("read:fleet")
