"""The HTTP request behind an execution, in the variants the triggers see."""

from __future__ import annotations

from typing import ClassVar

from triggers.events.model.base import NETWORK, PLAIN, Number, OpenMap, Part, may, must


class GeoIp(Part):
    """The place of the caller's address, as far as a lookup can tell."""

    OPEN: ClassVar[bool] = True

    cityName: str | None = may("City.", NETWORK)
    continentCode: str | None = may("Continent, two letters.", PLAIN)
    countryCode: str | None = may("Country, two letters (ISO 3166).", PLAIN)
    countryCode3: str | None = may("Country, three letters (ISO 3166).", PLAIN)
    countryName: str | None = may("Country by name.", PLAIN)
    latitude: Number | None = may("Degrees north.", NETWORK)
    longitude: Number | None = may("Degrees east.", NETWORK)
    subdivisionCode: str | None = may("Code of the state or province.", NETWORK)
    subdivisionName: str | None = may("State or province by name.", NETWORK)
    timeZone: str | None = may("Time zone by its IANA name.", PLAIN)


class Request(Part):
    """The HTTP request behind this execution."""

    geoip: GeoIp = must("Location of the caller's address.")
    hostname: str | None = may("Host name the request was sent to.", PLAIN)
    ip: str = must("Address of the caller.", NETWORK)
    language: str | None = may("Language the browser asks for.", PLAIN)
    method: str = must("HTTP method.", PLAIN)
    user_agent: str | None = may("The User-Agent header.", NETWORK)


class BodyRequest(Request):
    """The HTTP request behind this execution, with its form or JSON body."""

    body: OpenMap = must("Parameters of the request body; empty when there were none.")


class QueryRequest(BodyRequest):
    """The HTTP request behind this execution; a new one when a suspended flow resumes."""

    query: OpenMap = must("Parameters of the query string.")


class LoginRequest(QueryRequest):
    """The HTTP request behind this execution; a new one when a suspended flow resumes."""

    asn: str | None = may("Number of the autonomous system the caller is in.", NETWORK)


class EmailRequest(Part):
    """The request that led to an email, as far as there was one."""

    geoip: GeoIp | None = may("Location of the caller's address.")
    hostname: str | None = may("Host name the request was sent to.", PLAIN)
    ip: str | None = may("Address of the caller.", NETWORK)
    query: OpenMap | None = may("Parameters of the query string.")
    user_agent: str | None = may("The User-Agent header.", NETWORK)


class TransferRequest(Part):
    """The request that issued a session transfer token."""

    asn: str | None = may("Number of the autonomous system the caller was in.", NETWORK)
    geoip: GeoIp | None = may("Location of the caller's address.")
    ip: str = must("Address of the caller.", NETWORK)
    user_agent: str | None = may("The User-Agent header.", NETWORK)
