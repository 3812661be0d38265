"""Regional sender: chooses sender and route by the country code of the number.

Numbers outside the routes are refused before anything is sent. Codes are not logged.

Trigger: send-phone-message
Secrets:
  SMS_URL  the provider
  SMS_KEY  our key there
"""

ROUTES = {
    "+31": {"sender": "HARBOR", "route": "eu"},
    "+49": {"sender": "HARBOR", "route": "eu"},
    "+1": {"sender": "+15550100", "route": "us"},
}


def route_for(number):
    for prefix in sorted(ROUTES, key=len, reverse=True):
        if number.startswith(prefix):
            return ROUTES[prefix]
    raise ValueError(f"no route to numbers like {number[:3]}…")


async def on_execute_send_phone_message(event, api):
    message = event.message_options
    route = route_for(message.recipient)
    response = await fetch(
        f"{event.secrets.SMS_URL}/{route['route']}/{message.message_type}",
        method="POST",
        headers={"x-api-key": event.secrets.SMS_KEY},
        json={"to": message.recipient, "from": route["sender"], "text": message.text},
        timeout=8,
    )
    if not response.ok:
        raise RuntimeError(f"provider answered HTTP {response.status}")
    print(f"sent for {message.action} by route {route['route']}")
