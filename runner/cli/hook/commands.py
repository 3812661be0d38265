"""Commands of `actionbox hook`."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from runner.cli.inputs import parse_pairs, read_object
from runner.cli.tenant.connection import Target
from runner.cli.terminal import error_console, line, output_console
from runner.client.http import Api
from runner.hooks.model import DECRYPT, VERIFY, Hook, Provider
from runner.hooks.providers import PROVIDERS, example_of
from runner.hooks.simulate import simulate
from runner.model.errors import InputError
from runner.project.jsonfile import read_text

_PATH: Final = "/api/v2/identity-provider-hooks"
_MAX_SECRET_BYTES: Final = 64 * 1024
_MOST: Final = 100
"""More than a tenant can have."""


def add_command(
    target: Target,
    provider: str,
    hook: str,
    *,
    secret: str | None,
    decryption_key: Path | None,
    defaults: Path | None,
    settings: Sequence[str],
    on_uncarried: str,
    budget_ms: int | None,
    as_json: bool,
) -> None:
    """Create the hook, and print its address."""
    body: dict[str, Any] = {
        "provider": provider,
        "hook": hook,
        "on_uncarried": on_uncarried,
        "secrets": [{"use": use, "value": value} for use, value in _given(secret, decryption_key)],
        "settings": {name: _value(text) for name, text in parse_pairs(settings, "--set", "setting").items()},
    }
    if defaults is not None:
        body["defaults"] = read_object(defaults, "defaults")
    if budget_ms is not None:
        body["budget_ms"] = budget_ms
    made = target.api().send("POST", _PATH, body=body).value
    if as_json:
        _print(made)
        return
    console = output_console()
    console.print(line(f"{provider} may call {hook} at"))
    console.print(line((made["url"], "bold"), indent=2))
    drawn = [item["value"] for item in made["secrets"] if "value" in item]
    for value in drawn:
        console.print(line(f"with the secret {value}, which is not shown again"))
    if not made["secrets"]:
        console.print(line("it refuses everything until it has a secret: `actionbox hook rotate` adds one"))


def list_command(target: Target, *, as_json: bool) -> None:
    """The tenant's hooks."""
    found = _hooks(target.api())
    if as_json:
        _print(found)
        return
    console = output_console()
    for item in found:
        state = "" if item["enabled"] else "  (disabled)"
        count = len(item["secrets"])
        what = f"{item['provider']} {item['hook']}{state}"
        console.print(line((what, "bold"), f"  {', '.join(item['triggers'])}; secrets: {count}"))
        console.print(line(item["url"], indent=2))
    if not found:
        console.print(line("there are no hooks; `actionbox hook list --available` shows what there can be"))


def available_command(*, as_json: bool) -> None:
    """What every provider offers."""
    if as_json:
        _print(
            [
                {
                    "provider": provider.name,
                    "hook": hook.name,
                    "triggers": list(hook.triggers),
                    "carries": sorted(hook.carries),
                    "limit_ms": hook.limit_ms,
                    "summary": hook.summary,
                }
                for provider in PROVIDERS.values()
                for hook in provider.hooks.values()
            ]
        )
        return
    console = output_console()
    for provider in PROVIDERS.values():
        console.print(line((f"{provider.name}  {provider.title}", "bold")))
        for hook in provider.hooks.values():
            console.print(line(f"{hook.name:<20} {', '.join(hook.triggers)}: {hook.summary}", indent=2))


def rotate_command(
    target: Target,
    provider: str,
    hook: str,
    secret: str | None,
    decryption_key: Path | None,
    *,
    drop_old: bool,
) -> None:
    """Add a secret; drop the others."""
    api = target.api()
    found = _find(api, provider, hook)
    path = f"{_PATH}/{found['id']}/secrets"
    given: list[tuple[str, str | None]] = list(_given(secret, decryption_key)) or [(VERIFY, None)]
    console = output_console()
    for use, value in given:
        made = api.send("POST", path, body={"use": use, **({} if value is None else {"value": value})}).value
        if "value" in made:
            console.print(line(f"the new secret is {made['value']}, and is not shown again"))
        for old in found["secrets"] if drop_old else ():
            if old["use"] == use:
                api.send("DELETE", f"{path}/{old['id']}")
    rest = "the others are gone" if drop_old else "requests with an older one are still taken"
    console.print(line(f"{provider} {hook} has a new secret; {rest}"))


def remove_command(target: Target, provider: str, hook: str) -> None:
    """Delete the hook."""
    api = target.api()
    api.send("DELETE", f"{_PATH}/{_find(api, provider, hook)['id']}")
    output_console().print(line(f"{provider} {hook} is gone"))


def test_command(target: Target, provider: str, hook: str, payload: Path | None, *, as_json: bool) -> None:
    """Run the bound Actions as the hook would, and exit by what the provider would do."""
    api = target.api()
    found = _find(api, provider, hook)
    if payload is None:
        error_console().print(line(("no --payload was given: testing with the provider's example", "dim")))
    body = {} if payload is None else {"payload": read_object(payload, "payload")}
    result = api.send("POST", f"{_PATH}/{found['id']}/test", body=body).value
    if as_json:
        _print(result)
    else:
        _show(result, PROVIDERS[provider].title if provider in PROVIDERS else provider)
    sys.exit(0 if result["goes_on"] else 1)


test_command.__test__ = False  # type: ignore[attr-defined]


def simulate_command(
    provider: str, hook: str, url: str, secret: str, event: Path | None, ca_file: Path | None
) -> None:
    """Send one request, and exit by what the provider would do."""
    known, wanted = _known(provider, hook)
    payload = example_of(known, wanted) if event is None else read_object(event, "event")
    authorities = None if ca_file is None else str(ca_file)
    found = simulate(known, wanted, payload, url, _read(secret), authorities)
    console = output_console()
    console.print(line(f"{url} answered {found.answer.status} after {found.seconds * 1000:.0f} ms"))
    if found.answer.body:
        console.print(line(found.answer.body.decode("utf-8", "replace")))
    _say(console, known.title, goes_on=found.goes_on)
    sys.exit(0 if found.goes_on else 1)


def _show(result: Mapping[str, Any], title: str) -> None:
    console = output_console()
    if result["trigger"] is None:
        console.print(line("the hook is not for this payload: nothing ran"))
    else:
        console.print(line((f"event of {result['trigger']}", "bold")))
        console.print(line(json.dumps(result["event"], indent=2, ensure_ascii=False)))
    for action in result["actions"]:
        console.print(line((f"{action['name']}: {action['status']}", "bold")))
        for item in action["logs"]:
            console.print(line(item["text"], indent=2))
        if "failure" in action:
            console.print(
                line((f"{action['failure']['code']}: {action['failure']['message']}", "red"), indent=2)
            )
    for item in result["dropped"]:
        name = f" {item['name']}" if "name" in item else ""
        console.print(line((f"not carried: {item['effect']}{name}. {item['reason']}", "yellow")))
    console.print(line((f"answer {result['answer']['status']}", "bold")))
    if result["answer"]["body"] is not None:
        console.print(line(json.dumps(result["answer"]["body"], indent=2, ensure_ascii=False)))
    _say(console, title, goes_on=result["goes_on"])


def _say(console: Console, title: str, *, goes_on: bool) -> None:
    text = f"{title} would go on" if goes_on else f"{title} would refuse"
    console.print(line((text, "green" if goes_on else "red")))


def _hooks(api: Api) -> list[Any]:
    return list(api.get(_PATH, take=_MOST).value["identity_provider_hooks"])


def _find(api: Api, provider: str, hook: str) -> Mapping[str, Any]:
    for item in _hooks(api):
        if (item["provider"], item["hook"]) == (provider, hook):
            found: Mapping[str, Any] = item
            return found
    raise InputError(
        "no_hook",
        f"the tenant has no hook {hook} of {provider}",
        next_step=f"Add it: actionbox hook add {provider} {hook}",
    )


def _known(provider: str, hook: str) -> tuple[Provider, Hook]:
    found = PROVIDERS.get(provider)
    if found is None or hook not in found.hooks:
        raise InputError(
            "no_hook",
            f"there is no hook {hook} of {provider}",
            next_step="See them all: actionbox hook list --available",
        )
    return found, found.hooks[hook]


def _given(secret: str | None, decryption_key: Path | None) -> list[tuple[str, str]]:
    found = [] if secret is None else [(VERIFY, _read(secret))]
    if decryption_key is not None:
        found.append((DECRYPT, read_text(decryption_key, "private key", limit=_MAX_SECRET_BYTES)))
    return found


def _read(secret: str) -> str:
    if not secret.startswith("@"):
        return secret
    return read_text(secret[1:], "secret", limit=_MAX_SECRET_BYTES).strip()


def _value(text: str) -> Any:
    """A setting: JSON where it is some, else a text."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _print(value: Any) -> None:
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")
