"""Reason form: staff say why they reset their password, and the security team reads it.

A form asks for the reason. "stolen" raises an alarm; the reset goes on in any case.

Trigger: password-reset-post-challenge
Secrets:
  REASON_FORM_ID   id of the form, begins with ap_
  ALARM_URL        webhook of the security team
"""


async def on_execute_post_challenge(event, api):
    if event.connection.name != "staff":
        return
    api.prompt.render(
        event.secrets.REASON_FORM_ID,
        fields={"reason": "forgotten"},
        vars={"user": event.user.user_id},
    )


async def on_continue_post_challenge(event, api):
    reason = event.prompt.fields.reason
    print("reason given:", reason)
    if reason == "stolen":
        await fetch(
            event.secrets.ALARM_URL,
            method="POST",
            json={"user": event.prompt.vars.user, "ip": event.request.ip},
        )
