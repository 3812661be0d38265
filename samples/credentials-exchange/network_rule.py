"""Network rule: a machine may fetch tokens from its own networks only.

The networks stand in the application's metadata as `networks`, in CIDR notation and separated by
commas. IPv4 callers that arrive as mapped IPv6 addresses are recognised.

Trigger: credentials-exchange
Secrets: none
"""

import ipaddress


def caller(event):
    address = ipaddress.ip_address(event.request.ip)
    return getattr(address, "ipv4_mapped", None) or address


async def on_execute_credentials_exchange(event, api):
    entry = event.client.metadata.networks
    if not entry:
        return

    networks = [ipaddress.ip_network(part.strip()) for part in entry.split(",")]
    address = caller(event)
    if not any(address in network for network in networks):
        print(f"{event.client.name} called from {address}")
        api.access.deny("invalid_request", f"{address} is not a network of this application")
        return
    api.access_token.set_custom_claim("https://harbor.example/network", str(address))
