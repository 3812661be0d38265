"""From JSON to records, with the JSON path of what does not fit."""

from __future__ import annotations

from typing import Any, Final, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from runner.model.errors import InputError

_MORE_PROBLEMS: Final = 3
"""Problems of one file that are named."""

_Model = TypeVar("_Model", bound=BaseModel)


def parse_model(model: type[_Model], data: Any, name: str) -> _Model:
    """`data` as a `model`, which has the member `schema_id` with the schemas that can be read.

    Raises:
        InputError: `other_schema`, `invalid_record`.
    """
    _check_schema(model, data, name)
    try:
        return model.model_validate(data)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        problems = [f"{_path(item['loc'])}: {item['msg']}" for item in found[:_MORE_PROBLEMS]]
        more = [f"and {len(found) - _MORE_PROBLEMS} more"] if len(found) > _MORE_PROBLEMS else []
        raise InputError(
            "invalid_record",
            f"{name} is not a record: {'; '.join((*problems, *more))}",
            next_step="Records come from the service, or from `actionbox run --record FILE`.",
            source=name,
        ) from None


def _check_schema(model: type[BaseModel], data: Any, name: str) -> None:
    known = get_args(model.model_fields["schema_id"].annotation)
    found = data.get("schema") if isinstance(data, dict) else None
    family = known[0].rpartition("/")[0]
    if isinstance(found, str) and found not in known and found.startswith(f"{family}/"):
        raise InputError(
            "other_schema",
            f"{name} has the schema {found[:80]}; this release reads {' and '.join(known)}",
            next_step="Replay it with the release that wrote it, or one after it.",
            source=name,
        )


def _path(location: tuple[int | str, ...]) -> str:
    return "$" + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
