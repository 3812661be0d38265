"""Second factor for everyone with rights: users of certain roles must have one enrolled.

Whoever has none is led through the enrolment during login. When the list of factors cannot be had
nobody is bothered.

Trigger: post-login
Secrets: none
"""

ROLES = {"berth-manager", "harbor-master"}


async def on_execute_post_login(event, api):
    if not event.authorization or not ROLES.intersection(event.authorization.roles):
        return

    factors = event.user.enrolled_factors
    if factors is None:
        print("list of enrolled factors is not available")
        return
    if not factors:
        phone = {"type": "phone", "options": {"preferredMethod": "sms"}}
        api.authentication.enroll_with_any([{"type": "otp"}, {"type": "webauthn-platform"}, phone])
