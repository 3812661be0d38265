"""`deploy/nginx.conf` in a real nginx before replicas on this machine."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.e2e.serving import Served

CONFIGURATION = Path(__file__).parents[2] / "deploy" / "nginx.conf"
NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
AROUND = """
{user}
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
worker_processes 1;
events {{ worker_connections 256; }}
http {{
    log_format upstream '$request_method $status $upstream_addr';
    access_log {folder}/access.log upstream;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
{site}
}}
"""


def site(port: int, replicas: list[str]) -> str:
    """The file as it stands, with these replicas in place of Docker's name for them: an older nginx cannot
    ask a resolver for them."""
    text = CONFIGURATION.read_text()
    server = re.search(r"^ *server serve:8420 resolve (.*);$", text, re.MULTILINE)
    assert server is not None
    listed = "\n".join(f"    server {replica} {server[1]};" for replica in replicas)
    text = text.replace(server[0], listed)
    text = re.sub(r"^ *resolver .*\n", "", text, flags=re.MULTILINE)
    assert "    listen 8420;\n" in text
    return text.replace("    listen 8420;\n", f"    listen 127.0.0.1:{port};\n")


@contextmanager
def balancer(folder: Path, replicas: list[Served]) -> Iterator[str]:
    """A running nginx; its URL."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder.mkdir()
    addresses = [f"127.0.0.1:{replica.url.rpartition(':')[2]}" for replica in replicas]
    file = folder / "nginx.conf"
    user = "user root;" if os.geteuid() == 0 else ""  # or it could not write to the test's folder
    file.write_text(AROUND.format(user=user, folder=folder, site=site(port, addresses)))
    assert NGINX is not None
    command = [NGINX, "-c", str(file), "-p", str(folder), "-e", str(folder / "error.log")]
    checked = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    process = subprocess.Popen(command)
    try:
        deadline = time.monotonic() + 20
        while not _listens(port):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.02)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(10)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def used(folder: Path) -> set[str]:
    """Which replicas have answered 200, by nginx's log."""
    lines = (folder / "access.log").read_text().splitlines()
    return {address for line in lines if " 200 " in line for address in line.split(" 200 ")[1].split(", ")}
