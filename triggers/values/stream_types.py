"""Types of events that streams subscribe to, and what such an event holds."""

from __future__ import annotations

from typing import Any, Final

REFERENCE: Final = (
    "user.created",
    "user.updated",
    "user.deleted",
    "organization.created",
    "organization.updated",
    "organization.deleted",
    "organization.member.added",
    "organization.member.deleted",
    "organization.member.role.assigned",
    "organization.member.role.deleted",
    "organization.connection.added",
    "organization.connection.updated",
    "organization.connection.removed",
    "group.created",
    "group.updated",
    "group.deleted",
    "group.member.added",
    "group.member.deleted",
)
"""The catalogue of reference/trigger-event-stream.md, which may be longer, as it says."""
STREAM_EVENT_TYPES: Final = frozenset(
    (
        *REFERENCE,
        # what the service's own clients of 2026 know besides
        "connection.created",
        "connection.updated",
        "connection.deleted",
        "group.role.assigned",
        "group.role.deleted",
        "organization.group.role.assigned",
        "organization.group.role.deleted",
    )
)

_USER: Final = {
    "user_id": "auth0|66b1f0c2a94d7e0012c3ab45",
    "email": "maya.okafor@harbor.example",
    "email_verified": False,
    "created_at": "2025-03-11T14:02:34.118Z",
    "updated_at": "2025-03-11T14:02:34.118Z",
    "identities": [
        {
            "connection": "Username-Password-Authentication",
            "provider": "auth0",
            "user_id": "66b1f0c2a94d7e0012c3ab45",
            "isSocial": False,
        }
    ],
}
_ORGANIZATION: Final = {"id": "org_3Kd8Rm5Xv1Tn7QpZ", "name": "quay", "display_name": "Quay Works"}
_CONNECTION: Final = {
    "id": "con_8Lm2Qx7Tz1Vb4RkW",
    "name": "Username-Password-Authentication",
    "strategy": "auth0",
}
_GROUP: Final = {"id": "grp_5Hs9Wc2Yf6Jb3NgD", "name": "Berth masters"}
_ROLE: Final = {"id": "rol_7Vz4Lk1Pd8Xm2RtQ", "name": "Pilot"}
_OBJECTS: Final[dict[str, dict[str, Any]]] = {
    "user": _USER,
    "organization": _ORGANIZATION,
    "organization.member": {"organization": _ORGANIZATION, "user": _USER},
    "organization.member.role": {"organization": _ORGANIZATION, "user": _USER, "role": _ROLE},
    "organization.connection": {"organization": _ORGANIZATION, "connection": _CONNECTION},
    "organization.group.role": {"organization": _ORGANIZATION, "group": _GROUP, "role": _ROLE},
    "connection": _CONNECTION,
    "group": _GROUP,
    "group.member": {"group": _GROUP, "member": {"id": _USER["user_id"], "member_type": "user"}},
    "group.role": {"group": _GROUP, "role": _ROLE},
}
"""By a type without its verb; composed for this project."""


def sample_data(event_type: str, tenant: str) -> dict[str, Any]:
    """`message.data` of a made-up event. Raises `KeyError` for a type that is none of
    `STREAM_EVENT_TYPES`."""
    return {"object": _OBJECTS[event_type.rpartition(".")[0]], "context": {"tenant": {"id": tenant}}}
