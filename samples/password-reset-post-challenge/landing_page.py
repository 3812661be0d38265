"""Landing page: where people arrive after a reset depends on who they are.

Accounts with far-reaching roles cannot be reset by their users at all; those are sent to the help desk
by the reason of the refusal. The brand comes from the custom domain.

Trigger: password-reset-post-challenge
Secrets:
  LANDING_URL  page shown after the reset
"""

GUARDED_ROLES = {"harbor-master", "auditor"}


async def on_execute_post_challenge(event, api):
    guarded = GUARDED_ROLES.intersection(event.authorization.roles)
    if guarded:
        print("reset refused for role", *sorted(guarded))
        api.access.deny("Please ask the help desk to reset this account.")
        return

    query = {"lang": event.transaction.locale}
    if event.custom_domain:
        query["brand"] = event.custom_domain.domain_metadata.get("brand", "harbor")
    api.transaction.set_result_url(event.secrets.LANDING_URL, query=query)
