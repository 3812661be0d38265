def on_execute_post_user_registration(event):
    answer = http.post(
        "https://hooks.harbor.example/new-user", json={"id": event.user.user_id, "profile": dict(event.user)}
    )
    if answer.status >= 400:
        raise RuntimeError(f"hook answered {answer.status}: {answer.text}")
    print("told", answer.json()["ok"])
