"""The files in `deploy/` against the product: settings, ports, probes, users, paths."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import yaml

from runner.config.settings import ServiceSettings
from runner.server import health

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
DOCKERFILE = re.sub(r"\\\n", " ", (DEPLOY / "Dockerfile").read_text())
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
MANIFESTS = list(yaml.safe_load_all((DEPLOY / "kubernetes" / "actionbox.yaml").read_text()))
DEPLOYMENTS = [item for item in MANIFESTS if item["kind"] == "Deployment"]
OURS = ("keys", "serve", "worker")
IMAGE = dict(re.findall(r"(ACTIONBOX_\w+)=(\S+)", DOCKERFILE))
FREE = {"ACTIONBOX_CACHE", "DATABASE_URL"}
"""Read from the environment, and no `ACTIONBOX_` settings of the service."""


def environments() -> Iterator[Any]:
    """Every environment that a process of ours gets, as text by name."""
    yield pytest.param(IMAGE, id="Dockerfile")
    for name in OURS:
        yield pytest.param(IMAGE | COMPOSE["services"][name]["environment"], id=f"compose {name}")
    for item in DEPLOYMENTS:
        for container in item["spec"]["template"]["spec"]["containers"]:
            given = {variable["name"]: variable.get("value", "") for variable in container["env"]}
            yield pytest.param(IMAGE | given, id=f"kubernetes {container['name']}")


@pytest.mark.parametrize("environment", list(environments()))
def test_every_variable_is_a_setting_with_a_good_value(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    known = {f"ACTIONBOX_{name.upper()}" for name in ServiceSettings.model_fields} | FREE
    assert set(environment) <= known
    for name, value in environment.items():
        if name not in FREE and value and "${" not in value:
            monkeypatch.setenv(name, value)
    settings = ServiceSettings()
    assert (settings.host, settings.port) == ("0.0.0.0", 8420)
    assert settings.data_dir == Path("/var/lib/actionbox")


def test_what_the_container_is_made_of_is_there() -> None:
    rules = (ROOT / ".dockerignore").read_text().splitlines()
    admitted = [rule[1:] for rule in rules if rule.startswith("!")]
    assert "*" in rules
    copied = [
        path for line in re.findall(r"^COPY (.+)$", DOCKERFILE, re.MULTILINE) for path in line.split()[:-1]
    ]
    assert {"runner", "sandbox", "triggers", "requirements/run.txt"} <= set(copied)
    for path in copied:
        assert (ROOT / path).exists(), path
        assert path in admitted, path
    assert not any(fnmatch(".git", rule) for rule in admitted)


def test_users_are_numbers_and_own_what_they_write() -> None:
    """`runAsNonRoot` cannot be checked of a name."""
    user = re.search(r"^USER (\d+):(\d+)$", DOCKERFILE, re.MULTILINE)
    assert user is not None
    assert f"--uid {user[1]} " in DOCKERFILE
    owned = re.search(r"install -d -o (\d+) -g (\d+) -m 700 (.+)$", DOCKERFILE, re.MULTILINE)
    assert owned is not None
    assert (owned[1], owned[2]) == (user[1], user[2])
    assert set(owned[3].split()) == {IMAGE["ACTIONBOX_DATA_DIR"], IMAGE["ACTIONBOX_CACHE"]}
    for item in DEPLOYMENTS:
        context = item["spec"]["template"]["spec"]["securityContext"]
        assert context["runAsNonRoot"] is True
        assert (str(context["runAsUser"]), str(context["fsGroup"])) == (user[1], user[2])


def test_a_read_only_root_leaves_what_is_written() -> None:
    for name in OURS:
        service = COMPOSE["services"][name]
        assert (service["read_only"], service["cap_drop"], service["tmpfs"]) == (True, ["ALL"], ["/tmp"])
        places = {volume.rpartition(":")[2] for volume in service["volumes"]}
        assert places == {IMAGE["ACTIONBOX_DATA_DIR"], IMAGE["ACTIONBOX_CACHE"]}
        assert "user" not in service, "with no capabilities root is no help, and the files would be root's"
    for item in DEPLOYMENTS:
        pod = item["spec"]["template"]["spec"]
        volumes = {volume["name"] for volume in pod["volumes"] if "emptyDir" in volume}
        for container in [*pod["initContainers"], *pod["containers"]]:
            assert container["securityContext"]["readOnlyRootFilesystem"] is True
            assert {mount["name"] for mount in container["volumeMounts"]} <= volumes
        (first,), (container,) = pod["initContainers"], pod["containers"]
        variables = {variable["name"]: variable.get("value") for variable in container["env"]}
        # The folder itself is open for the group; a cache must belong to its user alone.
        assert first["command"] == ["cp", "-a", IMAGE["ACTIONBOX_CACHE"], "/cache/"]
        assert variables["ACTIONBOX_CACHE"] == f"/cache/{Path(IMAGE['ACTIONBOX_CACHE']).name}"
        assert {mount["mountPath"] for mount in container["volumeMounts"]} == {"/cache", "/tmp"}


def test_ports_and_probes_are_the_services() -> None:
    port = ServiceSettings.model_fields["port"].default
    assert f"EXPOSE {port}\n" in DOCKERFILE
    (serve,) = (item for item in DEPLOYMENTS if item["metadata"]["name"] == "actionbox")
    pod = serve["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    ports = {item["name"]: item["containerPort"] for item in container["ports"]}
    assert ports["http"] == port
    assert str(ports["metrics"]) in {variable.get("value") for variable in container["env"]}
    for name in ("livenessProbe", "readinessProbe", "startupProbe"):
        probe = container[name]["httpGet"]
        assert probe["path"] in health.PATHS
        assert probe["port"] == "http"
    check = COMPOSE["services"]["serve"]["healthcheck"]["test"][-1]
    assert f"http://127.0.0.1:{port}/ready" in check
    compile(check, "healthcheck", "exec")
    nginx = (DEPLOY / "nginx.conf").read_text()
    assert f"server serve:{port} " in nginx
    grace = ServiceSettings.model_fields["shutdown_seconds"].default
    stops = [int(COMPOSE["services"][name]["stop_grace_period"].rstrip("s")) for name in OURS]
    stops += [item["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] for item in DEPLOYMENTS]
    assert all(stop >= grace + 10 for stop in stops), "requests that run come to their end"


def test_replicas_share_a_machine_and_come_back() -> None:
    """By default each would have a worker for every core of it."""
    environments = [COMPOSE["services"][name]["environment"] for name in ("serve", "worker")]
    for item in DEPLOYMENTS:
        for container in item["spec"]["template"]["spec"]["containers"]:
            environments.append({each["name"]: each.get("value") for each in container["env"]})
    workers = [
        re.fullmatch(r"(?:\$\{WORKERS:-)?(\d+)\}?", item["ACTIONBOX_WORKERS"]) for item in environments
    ]
    assert [found and found[1] for found in workers] == ["2"] * 4
    assert COMPOSE["services"]["serve"]["deploy"]["replicas"] == "${REPLICAS:-2}"
    for name in ("database", "serve", "worker", "balancer"):
        assert COMPOSE["services"][name]["restart"] == "unless-stopped", name


def test_the_container_gets_the_versions_that_are_tested() -> None:
    """`make lock` writes both files; a part of the one, with its hashes, is the other."""

    def pins(name: str) -> dict[str, str]:
        text = (ROOT / "requirements" / name).read_text()
        return {entry.partition("==")[0]: entry for entry in re.split(r"\n(?=\S)", text.strip())}

    tested, shipped = pins("dev.txt"), pins("run.txt")
    assert shipped.items() <= tested.items()
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    wanted = {re.split(r"[^A-Za-z0-9-]", item)[0].lower() for item in declared}
    assert {"aiohttp", "wasmtime"} <= wanted
    assert wanted <= {name.lower() for name in shipped}
    assert not {"pytest", "mypy", "ruff", "hypothesis"} & set(shipped)
