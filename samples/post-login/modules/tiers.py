"""What a customer has booked: asked for by several Actions, so it is a module with its own secret.

    from actions import tiers

The answer is kept for one execution.
"""

import functools

URL = "https://billing.example/customers"
LIMITS = {"free": 10, "team": 200, "fleet": 5_000}


@functools.cache
def tier_of(customer):
    """`free`, `team` or `fleet`; `free` when billing does not know the customer."""
    headers = {"authorization": f"Bearer {actions.secrets.BILLING_KEY}"}
    response = http.get(f"{URL}/{customer}", headers=headers, timeout=2)
    if response.status == 404:
        return "free"
    return response.raise_for_status().json()["tier"]


def limit_of(customer):
    """Containers that the customer may book a day."""
    return LIMITS[tier_of(customer)]
