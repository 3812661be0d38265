"""Refuses with whatever was raised, by every member that gives a reason."""


class QuotaError(Exception):
    """Of this Action only."""


class OddError(Exception):
    """Cannot even be shown."""

    def __str__(self):
        raise ValueError("not this one either")


def raised(what):
    try:
        if what == "type":
            return None.seats
        if what == "key":
            return {}["seats"]
        raise {"plain": ValueError, "own": QuotaError, "odd": OddError, "silent": QuotaError}[what](
            *(() if what == "silent" else ("no seat is left: Größe 0",))
        )
    except Exception as error:
        return error


REFUSE = {
    "deny": lambda api, error: api.access.deny(error),
    "named": lambda api, error: api.access.deny(reason=error),
    "coded": lambda api, error: api.access.deny("server_error", reason=error),
    "signup": lambda api, error: api.access.deny(error, user_message=error),
    "invalid": lambda api, error: api.validation.error("no_seat", error),
    "token": lambda api, error: api.access.reject_invalid_subject_token(error),
    "session": lambda api, error: api.session.revoke(error, preserve_refresh_tokens=True),
    "refresh": lambda api, error: api.refresh_token.revoke(error),
    "credential": lambda api, error: api.authentication.deny(reason=error),
    "options": lambda api, error: api.authentication.deny({"reason": error}),
    "bare": lambda api, error: api.authentication.deny(error),
    "drop": lambda api, error: api.notification.drop(error),
    "retry": lambda api, error: api.notification.retry(error),
}


async def run(event, api):
    REFUSE[event.secrets.HOW](api, raised(event.secrets.WHAT))


on_execute_post_login = run
on_execute_credentials_exchange = run
on_execute_pre_user_registration = run
on_execute_post_challenge = run
on_execute_custom_token_exchange = run
on_execute_custom_phone_provider = run
on_execute_custom_email_provider = run
on_execute_post_credential_validation = run
