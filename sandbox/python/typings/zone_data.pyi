"""Time zones by name, in TZif; `image.py` writes this module when the image is built."""

ZONES: dict[str, bytes]
