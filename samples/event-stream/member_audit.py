"""Member audit: writes down who joined or left an organization, and which roles came and went.

Test events are acknowledged and not written. Types that this Action does not know are passed over
with a note, because the list of types grows.

Trigger: event-stream
Secrets:
  AUDIT_URL    the audit store
  AUDIT_TOKEN  token that may append to it
"""

VERBS = {
    "organization.member.added": "joined",
    "organization.member.deleted": "left",
    "organization.member.role.assigned": "got a role in",
    "organization.member.role.deleted": "lost a role in",
}


async def on_execute_event_stream(event, api):
    message = event.message
    verb = VERBS.get(message.type)
    if verb is None:
        print("passed over:", message.type)
        return
    if message.a0purpose == "test":
        print("test event is fine:", message.id)
        return

    subject = message.data.object
    line = {
        "id": message.id,
        "at": message.time,
        "text": f"{subject.user.user_id} {verb} {subject.organization.name}",
    }
    response = await fetch(
        event.secrets.AUDIT_URL,
        method="POST",
        headers={"authorization": f"Bearer {event.secrets.AUDIT_TOKEN}"},
        json=line,
    )
    if not response.ok:
        raise RuntimeError(f"audit store answered {response.status}")
    print(line["text"])
