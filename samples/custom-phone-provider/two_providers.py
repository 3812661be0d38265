"""Two providers: when the first phone provider is in trouble, the second one gets the message.

Each gets three seconds. When both fail the message is retried later; a number that a provider calls
invalid is dropped at once.

Trigger: custom-phone-provider
Secrets:
  FIRST_URL   first provider
  FIRST_KEY   our key there
  SECOND_URL  second provider
  SECOND_KEY  our key there
"""

import asyncio


async def deliver(url, key, message):
    text = message.as_voice if message.delivery_method == "voice" else message.as_text
    response = await fetch(
        f"{url}/{message.delivery_method}",
        method="POST",
        headers={"authorization": f"Bearer {key}"},
        json={"to": message.recipient, "content": text},
    )
    return response.status


async def on_execute_custom_phone_provider(event, api):
    secrets = event.secrets
    providers = [(secrets.FIRST_URL, secrets.FIRST_KEY), (secrets.SECOND_URL, secrets.SECOND_KEY)]
    troubles = []
    for number, (url, key) in enumerate(providers, start=1):
        try:
            status = await asyncio.wait_for(deliver(url, key, event.notification), timeout=3)
        except OSError as error:
            troubles.append(f"provider {number}: {type(error).__name__}")
            continue
        if status < 300:
            print(f"delivered by provider {number}")
            return
        if status == 422:
            api.notification.drop("the provider calls the number invalid")
            return
        troubles.append(f"provider {number}: HTTP {status}")
    api.notification.retry("; ".join(troubles))
