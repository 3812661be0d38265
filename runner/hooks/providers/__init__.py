"""Every identity provider that can call a hook, one module each."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from runner.hooks.model import Hook, Provider
from runner.hooks.providers.firebase import Firebase
from runner.hooks.providers.hydra import Hydra
from runner.hooks.providers.kratos import Kratos
from runner.hooks.providers.okta import Okta
from runner.hooks.providers.supabase import Supabase
from runner.hooks.providers.wso2 import Wso2
from runner.hooks.providers.zitadel import Zitadel

_ALL: Final[tuple[Provider, ...]] = (
    Firebase(),
    Hydra(),
    Kratos(),
    Okta(),
    Supabase(),
    Wso2(),
    Zitadel(),
)
PROVIDERS: Final[Mapping[str, Provider]] = {provider.name: provider for provider in _ALL}
_EXAMPLES: Final = Path(__file__).parent / "examples"


def example_of(provider: Provider, hook: Hook) -> dict[str, Any]:
    """A payload as the provider sends it."""
    text = (_EXAMPLES / provider.name / hook.example).read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found
