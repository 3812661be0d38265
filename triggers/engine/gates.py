"""Features that a platform can turn on (`Services.features`); members behind one throw while it is off."""

from __future__ import annotations

from typing import Final

POST_LOGIN_TARGET_SCOPES: Final = "post-login-target-scopes"
"""Target scopes in post-login (in the package only)."""

GATES: Final = frozenset({POST_LOGIN_TARGET_SCOPES})
