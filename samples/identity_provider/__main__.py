"""Runs the provider on port 8421 against the service that ACTIONBOX_URL and ACTIONBOX_TOKEN name."""

from __future__ import annotations

import os

import uvicorn

from actionbox import RuntimeClient
from samples.identity_provider.app import Application, Provider, make_app

_APPLICATIONS = (
    Application("portal", "portal-secret", "Portal", "http://localhost:8421/done"),
    Application("job", "job-secret", "Job", metadata={"extra_scopes": "write:x"}, scopes=("read:x",)),
)

client = RuntimeClient(
    os.environ["ACTIONBOX_URL"],
    token=os.environ["ACTIONBOX_TOKEN"],
    ca_file=os.environ.get("ACTIONBOX_CA_FILE"),
)
provider = Provider(client, "http://localhost:8421", "main", {app.client_id: app for app in _APPLICATIONS})
uvicorn.run(make_app(provider), host="127.0.0.1", port=8421)
