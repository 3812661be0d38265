"""The base of both APIs: routing, errors, bodies, limits and authentication. Knows no API."""
