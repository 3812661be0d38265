"""`api.groups`, `api.roles` and `api.rules`: asking the platform about the user."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final, TypeVar

from pydantic import Field

from triggers.engine.call import Call
from triggers.engine.services import Services
from triggers.engine.surface import Method, Option, Options, Parameter
from triggers.values.arguments import GroupPage, Memberships, Number, RolePage, Roles
from triggers.values.json_value import member

MAX_ROLE_PAGE: Final = 100
DEFAULT_PAGE: Final = 50
MAX_IDS: Final = 100
MAX_NAMES: Final = 50
_Item = TypeVar("_Item")


def _page(call: Call, items: Sequence[_Item], maximum: int | None) -> tuple[list[_Item], str | None]:
    """One page and the cursor of the next. Cursors are offsets and mean nothing to the caller."""
    options = call.arguments.get("params", {})
    take = options.get("take", DEFAULT_PAGE)
    if take < 1 or take != int(take):
        raise call.refusal("params.take must be a positive whole number")
    if maximum is not None and take > maximum:
        raise call.refusal(f"params.take must be at most {maximum}", code="limit")
    start = options.get("from", "0")
    if not start.isascii() or not start.isdigit() or len(start) > 9:
        raise call.refusal("params.from must be what an earlier page gave as next")
    end = int(start) + int(take)
    return list(items[int(start) : end]), str(end) if end < len(items) else None


def _user(call: Call) -> str:
    user_id = member(call.event, "user", "user_id")
    return user_id if isinstance(user_id, str) else ""


def _roles_of(call: Call) -> Sequence[Any]:
    organization = member(call.event, "organization", "id")
    return call.services.directory.roles(_user(call), organization if isinstance(organization, str) else None)


def _groups(call: Call) -> dict[str, Any]:
    groups, following = _page(call, call.services.directory.groups(_user(call)), None)
    return {"groups": groups, **({"next": following} if following else {})}


def _roles(call: Call) -> dict[str, Any]:
    roles, following = _page(call, _roles_of(call), MAX_ROLE_PAGE)
    return {"roles": roles, **({"next": following} if following else {})}


def _membership(call: Call) -> dict[str, Any]:
    groups = call.services.directory.groups(_user(call))
    return {"memberships": {key: _matches(call.services, groups, key) for key in call.arguments["groups"]}}


def _matches(services: Services, groups: Sequence[Any], key: str) -> dict[str, Any]:
    found = [
        {"id": item["id"], "name": item["name"], "group_type": services.directory.group_type(item["id"])}
        for item in groups
        if key in (item["id"], item["name"])
    ]
    return {"is_member": bool(found), **({"matches": found} if found else {})}


def _filtered(field: str, argument: str) -> Any:
    def run(call: Call) -> dict[str, Any]:
        wanted = set(call.arguments[argument])
        return {"roles": [role for role in _roles_of(call) if role[field] in wanted]}

    return run


def _paging(maximum: int | None) -> Options:
    limit = f", at most {maximum}" if maximum else ""
    return Options(
        (
            Option(
                "take", Number, f"Entries of one page; a positive whole number{limit}.", default=DEFAULT_PAGE
            ),
            Option("from", str, "Where to go on: next of the page before."),
        ),
        name="params",
    )


_PAGES: Final = "A page has 50 entries unless take says otherwise."

GROUPS: Final = (
    Method(
        "groups.getUserGroups",
        "query",
        "promise",
        "Groups that the user is a member of.",
        options=_paging(None),
        value=GroupPage,
        decided=_PAGES,
        run=_groups,
    ),
    Method(
        "groups.hasGroupMembership",
        "query",
        "promise",
        "Whether the user is a member of each of these groups.",
        parameters=(
            Parameter(
                "groups", Annotated[list[str], Field(min_length=1)], "Ids or names of groups; not empty."
            ),
        ),
        value=Memberships,
        decided="errors is left out: every id or name can be answered.",
        run=_membership,
    ),
)

ROLES: Final = (
    Method(
        "roles.getUserEffectiveRoles",
        "query",
        "promise",
        "Roles of the user, direct and through groups, in the organization when there is one.",
        options=_paging(MAX_ROLE_PAGE),
        value=RolePage,
        decided=_PAGES,
        run=_roles,
    ),
    Method(
        "roles.getUserEffectiveRolesByIds",
        "query",
        "promise",
        "Those of these roles that the user has.",
        parameters=(
            Parameter(
                "ids",
                Annotated[list[str], Field(min_length=1, max_length=MAX_IDS)],
                f"1 to {MAX_IDS} role ids.",
            ),
        ),
        value=Roles,
        run=_filtered("id", "ids"),
    ),
    Method(
        "roles.getUserEffectiveRolesByNames",
        "query",
        "promise",
        "Those of these roles that the user has.",
        parameters=(
            Parameter(
                "names",
                Annotated[list[str], Field(min_length=1, max_length=MAX_NAMES)],
                f"1 to {MAX_NAMES} role names.",
            ),
        ),
        value=Roles,
        run=_filtered("name", "names"),
    ),
)

RULES: Final = Method(
    "rules.wasExecuted",
    "query",
    "value",
    "Whether a Rule ran earlier in this transaction.",
    parameters=(Parameter("ruleId", str, "Id of the Rule."),),
    value=bool,
    run=lambda call: call.arguments["ruleId"] in call.services.executed_rules,
)
