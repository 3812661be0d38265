import json
import base64


async def on_execute_custom_email_provider(event, api):
    note = event.notification
    body = {
        "from": note["from"],
        "to": [{"email": note.to, "name": event.user.name or note.to}],
        "subject": note.subject if note.locale.startswith("en") else f"[{note.locale}] {note.subject}",
        "parts": [(kind, base64.b64encode(note[kind].encode()).decode()) for kind in ("text", "html")],
    }
    match note.message_type:
        case "verify_email" | "reset_email":
            body["priority"] = "high"
        case "blocked_account":
            return api.notification.drop("we do not send these")
    try:
        answer = await fetch("https://mail.harbor.example/v3/send", method="POST", body=json.dumps(body))
    except Exception as problem:
        api.notification.retry(f"{type(problem).__name__}: {problem}")
        return
    if answer.status >= 400:
        (api.notification.retry if answer.status in (429, 503) else api.notification.drop)(
            f"status {answer.status}"
        )
