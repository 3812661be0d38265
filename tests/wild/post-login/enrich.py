"""Asks two services at once and takes what comes in time."""

import asyncio
import json
from dataclasses import asdict, dataclass, field
from typing import Any, Optional


@dataclass
class Profile:
    tier: str = "basic"
    tags: list[str] = field(default_factory=list)
    score: Optional[float] = None


async def ask(path: str, key: str, default: Any = None) -> Any:
    try:
        answer = await asyncio.wait_for(
            fetch(f"https://api.harbor.example/{path}", headers={"x-key": key}), 2
        )
        return answer.json() if answer.ok else default
    except (TimeoutError, OSError) as problem:
        print(f"{path}: {type(problem).__name__}")
        return default


async def on_execute_post_login(event, api):
    key = event.secrets["API_KEY"]
    tier, tags = await asyncio.gather(ask("tier", key, {}), ask("tags", key, []))
    profile = Profile(tier=tier.get("name", "basic"), tags=sorted(set(tags)), score=None)
    api.cache.set("profile:" + event.user.user_id[:20], json.dumps(asdict(profile)), ttl=60_000)
    api.id_token.set_custom_claim("https://harbor.example/profile", asdict(profile))
    cached = api.cache.get("profile:" + event.user.user_id[:20])
    print(json.loads(cached.value)["tags"], cached["expires_at"] > 0)
