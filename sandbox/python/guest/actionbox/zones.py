"""Time zones: the data that the image was built with stands in memory, since there are no files."""

import io
import zoneinfo
import zoneinfo._common

try:
    from zone_data import ZONES  # written when the image is built
except ImportError:
    ZONES = {}


def load(key):
    """What `zoneinfo` calls when no file is found: the TZif data of `key`."""
    data = ZONES.get(key)
    if data is None:
        raise zoneinfo.ZoneInfoNotFoundError(f"no time zone is named '{key}'")
    return io.BytesIO(data)


def available():
    """Names of all zones."""
    return set(ZONES)


def install():
    zoneinfo._common.load_tzdata = load
