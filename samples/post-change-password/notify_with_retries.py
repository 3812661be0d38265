"""Notice with retries: tells the ticket system of a changed password, and does not give up at once.

What can pass (a server error, too many requests, a broken connection) is tried again, up to four times, with
pauses that grow or that the server asks for. What cannot pass is logged at once.

Trigger: post-change-password
Secrets:
  TICKETS_URL    where notices go
  TICKETS_USER   user name there
  TICKETS_TOKEN  password there
"""

import time

from actionbox import FetchError

TRIES = 4
FIRST_PAUSE = 0.05
LONGEST_PAUSE = 2.0
PASSING = {429, 500, 502, 503, 504}


def pause(attempt, response):
    asked = response.headers.get("retry-after", "") if response else ""
    seconds = float(asked) if asked.isdigit() else FIRST_PAUSE * 2**attempt
    return min(seconds, LONGEST_PAUSE)


def send(url, notice, auth):
    """The final answer, or None when there is none."""
    response = None
    for attempt in range(TRIES):
        if attempt:
            time.sleep(pause(attempt - 1, response))
        try:
            response = http.post(url, json=notice, auth=auth, timeout=(1, 3), allow_redirects=False)
        except FetchError as error:
            print("try", attempt + 1, "broke:", error.rule)
            response = None
            continue
        if response.status not in PASSING:
            return response
        print("try", attempt + 1, "answered", response.status)
    return response


def on_execute_post_change_password(event, api):
    secrets = event.secrets
    notice = {"kind": "password-changed", "user": event.user.user_id}
    response = send(secrets.TICKETS_URL, notice, (secrets.TICKETS_USER, secrets.TICKETS_TOKEN))
    if response is None or not response.ok:
        raise RuntimeError("the ticket system was not told")
    print("ticket", response.json()["id"])
