async def on_execute_post_login(event, api):
    mistake = event.client.metadata.mistake
    if mistake == "member":
        api.user.set_roles(["admin"])
    if mistake == "absent":
        print(event.organisation.name)
    if mistake == "key":
        print(event["organisation"])
    if mistake == "claim":
        api.id_token.set_custom_claim("scope", "all")
    if mistake == "await":
        fetch("https://x.harbor.example/")
    if mistake == "caught":
        try:
            api.session.set_metadata("not a key", "v")
        except Exception as problem:
            print("refused:", problem)
    api.id_token.set_custom_claim("fine", True)
