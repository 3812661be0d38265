"""Branded mail: sends in the name of the organization, and never to addresses that bounced.

The sender is the organization's own when it has one. Addresses that are known to bounce are dropped
at once: each further try would harm the reputation of the sender.

Trigger: custom-email-provider
Secrets:
  RELAY_URL    mail relay with an HTTP interface
  RELAY_USER   user there
  RELAY_TOKEN  token of that user
"""

import base64


def basic_auth(user, token):
    return "Basic " + base64.b64encode(f"{user}:{token}".encode()).decode()


def sender(event):
    if event.organization and event.organization.metadata.mail_from:
        return f"{event.organization.display_name} <{event.organization.metadata.mail_from}>"
    return event.notification["from"]


async def on_execute_custom_email_provider(event, api):
    message = event.notification
    if event.user.app_metadata.email_bounced:
        api.notification.drop(f"{message.message_type} not sent: this address bounced before")
        return

    try:
        response = await fetch(
            event.secrets.RELAY_URL,
            method="POST",
            headers={"authorization": basic_auth(event.secrets.RELAY_USER, event.secrets.RELAY_TOKEN)},
            json={"from": sender(event), "to": message.to, "subject": message.subject, "body": message.html},
            timeout=5,
        )
    except OSError as error:
        api.notification.retry(f"relay not reached: {error}")
        return

    if response.status >= 500:
        api.notification.retry(f"relay answered {response.status}")
    elif not response.ok:
        api.notification.drop(f"relay refused with {response.status}")
