"""Tier to claims: tells the application what the user's customer has booked.

Billing is asked by the shared module `tiers`, which has a key of its own (`BILLING_KEY`, given as a secret of
`actions:tiers`). Users of no organization have booked nothing.

Trigger: post-login
Secrets: none
"""

from actions import tiers

NAMESPACE = "https://harbor.example"


async def on_execute_post_login(event, api):
    if not event.organization:
        return
    customer = event.organization.name
    api.id_token.set_custom_claim(f"{NAMESPACE}/tier", tiers.tier_of(customer))
    api.access_token.set_custom_claim(f"{NAMESPACE}/containers_a_day", tiers.limit_of(customer))
