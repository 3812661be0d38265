"""Time zones: the data that the image was built with stands in memory, since there are no files."""

import io
import zoneinfo
import zoneinfo._common

from zone_data import ZONES  # written when the image is built


def load(key: str) -> io.BytesIO:
    """The TZif data of `key`, for `zoneinfo`, which calls this when it finds no file."""
    data = ZONES.get(key)
    if data is None:
        raise zoneinfo.ZoneInfoNotFoundError(f"no time zone is named '{key}'")
    return io.BytesIO(data)


def available() -> set[str]:
    """Names of all zones."""
    return set(ZONES)


def install() -> None:
    zoneinfo._common.load_tzdata = load  # type: ignore[assignment] # a reader is all that is asked for
