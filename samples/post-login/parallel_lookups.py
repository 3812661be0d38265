"""Parallel lookups: asks three services about a login at the same time, and waits for none of them too long.

Each answer becomes a claim. What is late or broken is left out and logged; the login goes on without it.

Trigger: post-login
Secrets:
  LOOKUP_KEY  key for all three services
"""

import asyncio

NAMESPACE = "https://harbor.example"
SERVICES = {
    "berths": "https://berths.example/users",
    "cranes": "https://cranes.example/users",
    "customs": "https://customs.example/users",
}
SECONDS = 1.0


async def ask(url, user_id, key):
    response = await fetch(url, params={"id": user_id}, headers={"x-api-key": key})
    return response.raise_for_status().json()


async def on_execute_post_login(event, api):
    questions = [ask(url, event.user.user_id, event.secrets.LOOKUP_KEY) for url in SERVICES.values()]
    patient = [asyncio.wait_for(question, SECONDS) for question in questions]
    answers = await asyncio.gather(*patient, return_exceptions=True)

    for name, answer in zip(SERVICES, answers, strict=True):
        match answer:
            case TimeoutError():
                print(name, "is late")
            case Exception():
                print(name, "failed:", answer)
            case {"count": int(count)}:
                api.id_token.set_custom_claim(f"{NAMESPACE}/{name}", count)
            case _:
                print(name, "answers in a form that we do not know")
